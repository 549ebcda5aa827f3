import { isObject } from "./session.ts";

/**
 * True when a stored body has the form of a token answer (RFC 6749, section 5.1). What has not can never be judged: without this look it would
 * be taken for a passing fault at every call, and stand in the way of the session for good.
 */
export function isTokenAnswer(body: string): boolean {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return false;
  }
  if (!isObject(answer)) return false;
  const isText = (name: string) => typeof answer[name] === "string" && answer[name] !== "";
  const isAbsentOr = (name: string, isRight: boolean) => answer[name] === undefined || isRight;
  const life = Number.parseFloat(String(answer["expires_in"]));
  return (
    isText("access_token") &&
    isText("token_type") &&
    isAbsentOr("id_token", isText("id_token")) &&
    isAbsentOr("refresh_token", isText("refresh_token")) &&
    isAbsentOr("scope", typeof answer["scope"] === "string") &&
    isAbsentOr("expires_in", life >= 0)
  );
}
