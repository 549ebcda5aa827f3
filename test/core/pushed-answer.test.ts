import { expect, it } from "vitest";
import { pushedRequest } from "../../src/core/pushed-answer.ts";

const uri = "urn:ietf:params:oauth:request_uri:abc";

it.each([
  [{ request_uri: uri, expires_in: 60 }, 60],
  [{ request_uri: uri, expires_in: "90" }, 90],
  [{ request_uri: uri, expires_in: 5.5 }, 5],
  [{ request_uri: uri }, 60],
  [{ request_uri: uri, expires_in: 0 }, 60],
  [{ request_uri: uri, expires_in: -1 }, 60],
  [{ request_uri: uri, expires_in: "soon" }, 60],
  [{ request_uri: uri, expires_in: null }, 60],
])("a pushed request has a life whatever the issuer calls it: %j [R-05]", (answer, expiresIn) => expect(pushedRequest(answer)).toEqual({ requestUri: uri, expiresIn }));

it.each([[{}], [{ request_uri: "" }], [{ request_uri: 7, expires_in: 60 }], [{ request_uri: "u".repeat(5_000), expires_in: 60 }], [[]], [null], ["text"]])(
  "what names no request that a URL can hold is none: %# [R-05]",
  (answer) => expect(pushedRequest(answer)).toBeUndefined(),
);
