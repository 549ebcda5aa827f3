import type { IncomingMessage, ServerResponse } from "node:http";
import type { Certificates } from "../issuer/certificates.ts";
import { listenOnLocalhost } from "../issuer/listen-on-localhost.ts";
import { type Reviewed, type TokenRules, tokenReview } from "./token-review.ts";

export interface ApiServerOptions extends TokenRules {
  readonly certificates: Certificates;
  /** Tried first; any other when it is taken. */
  readonly port?: number | undefined;
}

export interface ApiServer {
  readonly url: string;
  /** What was asked, with the user it was asked as; undefined: 401. */
  readonly requests: readonly { readonly path: string; readonly user: string | undefined }[];
  /** Answers the next requests that carry a good token with 401, as a server does that lost its trust in it. 1 when not given. */
  refuseNext(requests?: number): void;
  stop(): Promise<void>;
}

const started = "2026-01-01T00:00:00Z";

/** A small TLS API server: discovery, a namespace, two pods, SelfSubjectReview; everything else is 404. Enough for kubectl and the JavaScript client. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const review = tokenReview(options);
  const requests: { path: string; user: string | undefined }[] = [];
  const state = { refuse: 0 };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "https://api").pathname;
    request.resume();
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const user = token === undefined ? undefined : await review(token);
    const refused = user !== undefined && state.refuse > 0;
    if (refused) state.refuse--;
    requests.push({ path, user: refused ? undefined : user?.username });
    if (user === undefined || refused) return send(response, 401, statusObject(401, "Unauthorized", "Unauthorized"));
    const body = resourceAt(path, user, request.headers.accept ?? "");
    if (body === undefined) return send(response, 404, statusObject(404, "NotFound", "the server could not find the requested resource"));
    send(response, request.method === "POST" ? 201 : 200, body);
  }

  const server = await listenOnLocalhost(
    (request, response) => {
      answer(request, response).catch(() => response.destroy());
    },
    options.certificates,
    options.port,
  );
  return {
    url: server.origin,
    requests,
    refuseNext(more = 1) {
      state.refuse = more;
    },
    stop: server.stop,
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

const statusObject = (code: number, reason: string, message: string) => ({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code });

function resourceAt(path: string, user: Reviewed, accept: string): object | undefined {
  switch (path) {
    case "/version":
      return { major: "1", minor: "34", gitVersion: "v1.34.0-demo" };
    case "/api":
      return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
    case "/api/v1":
      return {
        kind: "APIResourceList",
        groupVersion: "v1",
        resources: [
          { name: "namespaces", singularName: "namespace", namespaced: false, kind: "Namespace", verbs: ["get", "list"], shortNames: ["ns"] },
          { name: "secrets", singularName: "secret", namespaced: true, kind: "Secret", verbs: ["list"] },
          { name: "pods", singularName: "pod", namespaced: true, kind: "Pod", verbs: ["get", "list"], shortNames: ["po"] },
        ],
      };
    case "/apis": {
      const version = { groupVersion: "authentication.k8s.io/v1", version: "v1" };
      return { kind: "APIGroupList", apiVersion: "v1", groups: [{ name: "authentication.k8s.io", versions: [version], preferredVersion: version }] };
    }
    case "/apis/authentication.k8s.io/v1":
      return {
        kind: "APIResourceList",
        apiVersion: "v1",
        groupVersion: "authentication.k8s.io/v1",
        resources: [{ name: "selfsubjectreviews", singularName: "selfsubjectreview", namespaced: false, kind: "SelfSubjectReview", verbs: ["create"] }],
      };
    case "/apis/authentication.k8s.io/v1/selfsubjectreviews":
      return { kind: "SelfSubjectReview", apiVersion: "authentication.k8s.io/v1", metadata: {}, status: { userInfo: userInfo(user) } };
    case "/api/v1/namespaces":
      return accept.includes("as=Table")
        ? tableOf(["Name", "Status"], [namespace], () => ["Active"])
        : { kind: "NamespaceList", apiVersion: "v1", metadata: { resourceVersion: "1" }, items: [namespace] };
    case "/api/v1/namespaces/default/pods":
      return accept.includes("as=Table") ? tableOf(["Name", "Ready", "Status"], pods.map(podOf), () => ["1/1", "Running"]) : podList();
    // Who is known may do everything here; k9s asks before it shows anything.
    case "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
      return { kind: "SelfSubjectAccessReview", apiVersion: "authorization.k8s.io/v1", metadata: {}, status: { allowed: true } };
    // Helm's releases: none.
    case "/api/v1/namespaces/default/secrets":
      return { kind: "SecretList", apiVersion: "v1", metadata: { resourceVersion: "1" }, items: [] };
    default:
      return undefined;
  }
}

function userInfo(user: Reviewed): object {
  return {
    username: user.username,
    groups: [...user.groups, "system:authenticated"],
    extra: user.jti === undefined ? {} : { "authentication.kubernetes.io/credential-id": [`JTI=${user.jti}`] },
  };
}

const pods = ["web-5d8f", "worker-7c21"];

const podOf = (name: string) => ({
  kind: "Pod",
  apiVersion: "v1",
  metadata: { name, namespace: "default", uid: name, creationTimestamp: started },
  spec: { containers: [{ name: "main", image: "demo" }] },
  status: { phase: "Running" },
});

const podList = () => ({ kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "1" }, items: pods.map(podOf) });

const namespace = { kind: "Namespace", apiVersion: "v1", metadata: { name: "default", uid: "default", creationTimestamp: started }, status: { phase: "Active" } };

interface Listed {
  readonly metadata: { readonly name: string };
}

/** As the server prints for `kubectl get`: columns and rows, the name first. */
function tableOf(columns: readonly string[], items: readonly Listed[], cellsOf: (item: Listed) => readonly string[]): object {
  const column = (name: string) => ({ name, type: "string", format: name === "Name" ? "name" : "", description: name, priority: 0 });
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion: "1" },
    columnDefinitions: columns.map(column),
    rows: items.map((item) => ({
      cells: [item.metadata.name, ...cellsOf(item)],
      object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: item.metadata },
    })),
  };
}
