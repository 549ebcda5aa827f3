/**
 * Tests must not see the machine they run on: no CI, no proxy, no browser, no settings of ours, no extra roots.
 * Runs before the workers start, which inherit what is left.
 */
export default function cleanEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (
      /^(KUBECTL_OIDC_.*|KUBE.*|XDG_.*|(https?|no|all)_proxy|CI|BROWSER|DISPLAY|WAYLAND_DISPLAY|DBUS_SESSION_BUS_ADDRESS|NODE_EXTRA_CA_CERTS|NODE_OPTIONS|SSL_CERT_(FILE|DIR))$/i.test(
        name,
      )
    )
      delete process.env[name];
  }
}
