const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => escapes[character] ?? "");

/** A whole page. `body` is HTML; the title is escaped here. */
export function page(title: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:24rem;margin:4rem auto;padding:0 1rem}label{display:block;margin:.75rem 0}input{display:block;width:100%;font:inherit}button{font:inherit;margin:.5rem .5rem 0 0}</style></head>
<body><h1>${escapeHtml(title)}</h1>${body}</body>
</html>`;
}

/** Name and password. `action` is a path of ours; `loginHint` fills in the name. */
export function loginPage(action: string, options: { readonly loginHint?: string; readonly failed?: boolean }): string {
  const failed = options.failed === true ? '<p role="alert">This name and password do not belong together.</p>' : "";
  return page(
    "Log in to the demo issuer",
    `${failed}<form method="post" action="${escapeHtml(action)}">
<label>Name <input type="text" name="login" value="${escapeHtml(options.loginHint ?? "")}" autocomplete="username" autofocus></label>
<label>Password <input type="password" name="password" value="" autocomplete="current-password"></label>
<button type="submit" name="decision" value="yes">Log in</button>
<button type="submit" name="decision" value="no">Cancel</button>
</form>`,
  );
}

export function consentPage(action: string, client: string, scopes: readonly string[]): string {
  return page(
    "Allow access",
    `<p><strong>${escapeHtml(client)}</strong> asks for: ${escapeHtml(scopes.length === 0 ? "nothing new" : scopes.join(", "))}</p>
<form method="post" action="${escapeHtml(action)}">
<button type="submit" name="decision" value="yes" autofocus>Allow</button>
<button type="submit" name="decision" value="no">Deny</button>
</form>`,
  );
}

/** Device flow: the code is typed. `form` is the library's, with the id `op.deviceInputForm`. */
export function deviceCodePage(form: string, failed: boolean): string {
  return page(
    "Enter the code",
    `${failed ? '<p role="alert">This code is not valid, or was used.</p>' : ""}${form}<button type="submit" form="op.deviceInputForm">Continue</button>`,
  );
}

/** Device flow: the person compares the code. `form` is the library's, with the id `op.deviceConfirmForm`. */
export function deviceConfirmPage(form: string, client: string, userCode: string): string {
  return page(
    "Confirm the device",
    `<p><strong>${escapeHtml(client)}</strong> shows this code: <code>${escapeHtml(userCode)}</code></p>${form}
<button type="submit" form="op.deviceConfirmForm" autofocus>Continue</button>
<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">Abort</button>`,
  );
}

export function deviceDonePage(): string {
  return page("Device confirmed", "<p>You can go back to your terminal.</p>");
}

/** RP-initiated logout. `form` is the library's, with the id `op.logoutForm`. */
export function logoutPage(form: string): string {
  return page("Log out of the demo issuer", `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>Log out</button>`);
}

export function loggedOutPage(): string {
  return page("Logged out", "<p>You are logged out.</p>");
}

export function errorPage(error: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(error).map(([name, value]) => `<p>${escapeHtml(name)}: ${escapeHtml(String(value))}</p>`);
  return page("The demo issuer refused", lines.join("\n"));
}
