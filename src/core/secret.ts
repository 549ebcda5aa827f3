/** A value that must not be seen: it prints as `[redacted]` in every form, and only `reveal()` gives it. */
export interface Secret {
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

const redacted = "[redacted]";

/** Wraps a secret. The value lives in a closure, so that no inspection, spread or serialisation reaches it. */
export function secret(value: string): Secret {
  const hidden = () => redacted;
  return Object.freeze({
    reveal: () => value,
    toString: hidden,
    toJSON: hidden,
    [Symbol.toPrimitive]: hidden,
    [Symbol.for("nodejs.util.inspect.custom")]: hidden,
  });
}
