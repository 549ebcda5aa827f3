import { fail } from "../errors/oidc-error.ts";
import { isObject, type TrustedServer } from "./session.ts";
import { safeText } from "./untrusted-text.ts";
import { sha256Hex } from "./sha256.ts";

export type ExecApiVersion = "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1";

/** What kubectl asks for in KUBERNETES_EXEC_INFO (client-go, clientauthentication/v1). */
export interface ExecInfo {
  readonly apiVersion: ExecApiVersion;
  /** The server that will get the token; only with `provideClusterInfo: true`. */
  readonly server: TrustedServer | undefined;
  /** Where the server's authority is a file: what it says counts, so the file belongs to the inputs. As the caller wrote it. */
  readonly authorityFile?: string | undefined;
  /** `spec.cluster.config`, unchecked; undefined when the cluster says nothing. */
  readonly config: unknown;
}

/** Base64 of a certificate authority's file; undefined when it cannot be read. */
export type ReadAuthority = (path: string) => string | undefined;

/**
 * Reads the variable's text. Absent or empty (run by hand, the JavaScript client): v1 without a cluster.
 * kubectl puts the authority's file into `certificate-authority-data`; the Python client gives the kubeconfig's cluster as it stands there, with a path,
 * which `authorityIn` reads, so that both mean the same server. EXEC_INFO_INVALID for what is not an ExecCredential; API_VERSION_UNSUPPORTED, before anything else is done.
 */
export function readExecInfo(text: string | undefined, authorityIn: ReadAuthority = () => undefined): ExecInfo {
  if (text === undefined || text.trim() === "") return { apiVersion: "client.authentication.k8s.io/v1", server: undefined, config: undefined };
  const value = parse(text);
  if (!isObject(value)) return invalid("it is not a JSON object");
  if (value["kind"] !== undefined && value["kind"] !== "ExecCredential") return invalid(`its kind is ${safeText(value["kind"], 60)}`);
  const apiVersion = value["apiVersion"];
  if (typeof apiVersion !== "string") return invalid("it has no apiVersion");
  if (apiVersion !== "client.authentication.k8s.io/v1" && apiVersion !== "client.authentication.k8s.io/v1beta1") {
    return fail("API_VERSION_UNSUPPORTED", { message: `the exec credential API version ${safeText(apiVersion, 80)} is not supported` });
  }
  const spec = value["spec"] ?? {};
  if (!isObject(spec)) return invalid("its spec is not an object");
  const cluster = spec["cluster"] ?? undefined;
  if (cluster === undefined) return { apiVersion, server: undefined, config: undefined };
  if (!isObject(cluster)) return invalid("its spec.cluster is not an object");
  return { apiVersion, ...serverOf(cluster, authorityIn), config: cluster["config"] ?? undefined };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return invalid("it is not JSON");
  }
}

function invalid(why: string): never {
  return fail("EXEC_INFO_INVALID", { message: `KUBERNETES_EXEC_INFO cannot be used: ${why}` });
}

function serverOf(cluster: Readonly<Record<string, unknown>>, authorityIn: ReadAuthority): Pick<ExecInfo, "server" | "authorityFile"> {
  const text = (name: string) => {
    const value = cluster[name];
    if (value === undefined || value === null || value === "") return undefined;
    return typeof value === "string" ? value : invalid(`its spec.cluster.${name} is not a text`);
  };
  const data = text("certificate-authority-data");
  const insecure = cluster["insecure-skip-tls-verify"] === true;
  // Data counts before a file, as in client-go.
  const authorityFile = data === undefined && !insecure ? text("certificate-authority") : undefined;
  const read = (path: string) => authorityIn(path) ?? invalid(`the certificate authority ${safeText(path, 120)} of its cluster cannot be read`);
  const server = serverIdentity({
    server: text("server") ?? invalid("its spec.cluster has no server"),
    tlsServerName: text("tls-server-name"),
    insecure,
    certificateAuthorityData: authorityFile === undefined ? data : read(authorityFile),
    proxyUrl: text("proxy-url"),
  });
  return authorityFile === undefined ? { server } : { server, authorityFile };
}

/** A cluster as a kubeconfig and KUBERNETES_EXEC_INFO describe it. */
export interface ClusterAccess {
  readonly server: string;
  readonly tlsServerName?: string | undefined;
  readonly insecure: boolean;
  /** Base64 of PEM. */
  readonly certificateAuthorityData?: string | undefined;
  readonly proxyUrl?: string | undefined;
}

/** A server as it is compared and stored: origin, TLS name, identity of its CA, proxy without user info. EXEC_INFO_INVALID for a server that is no URL. */
export function serverIdentity(cluster: ClusterAccess): TrustedServer {
  const ca = cluster.certificateAuthorityData;
  return {
    origin: originOf(cluster.server),
    ...(cluster.tlsServerName === undefined ? {} : { tlsServerName: cluster.tlsServerName }),
    authority: cluster.insecure ? "insecure" : ca === undefined ? "system" : sha256Hex(ca.replace(/\s+/g, "")),
    ...(cluster.proxyUrl === undefined ? {} : { proxy: originOf(cluster.proxyUrl) }),
  };
}

/** The origin of an API server that a person names; undefined when it is no https URL, or holds a user name. */
export function serverOrigin(text: string): string | undefined {
  try {
    const url = new URL(text);
    return url.protocol === "https:" && url.username === "" && url.password === "" ? `${url.protocol}//${url.host}` : undefined;
  } catch {
    return undefined;
  }
}

function originOf(text: string): string {
  try {
    const url = new URL(text);
    return `${url.protocol}//${url.host}`;
  } catch {
    return invalid("its spec.cluster names a server or proxy that is not a URL");
  }
}
