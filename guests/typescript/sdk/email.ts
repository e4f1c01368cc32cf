/**
 * E-mail addresses: 6 to 64 bytes accepted by WeCom (error 60105), checked for common mistakes rather than against
 * all of RFC 5322.
 */

import { Fault, show } from "./fault.ts";
import { asciiLower, bytes, identifier } from "./text.ts";

/**
 * Reads an address: cleaned as an `identifier`, the domain in lower case.
 *
 * Throws `email.length` if it has fewer than 6 or more than 64 bytes, `email.invalid` if it is not an address.
 */
export function parse(text: string): string {
  const address = identifier(text);
  const fault = check(address);
  if (fault !== undefined) {
    throw fault;
  }
  const at = address.indexOf("@");
  return address.slice(0, at) + asciiLower(address.slice(at));
}

/** The reason why an address cannot be sent unchanged: `email.length`, `email.invalid`. */
export function check(address: string): Fault | undefined {
  return checkAs(address, 64, "邮箱", "e-mail", "email");
}

/**
 * The reason why a text is not an enterprise mail address of 6 to 63 bytes: `biz-mail.length`, `biz-mail.invalid`.
 * The update call takes one byte less than the create call.
 */
export function checkBizMail(address: string): Fault | undefined {
  return checkAs(address, 63, "企业邮箱", "enterprise mail", "biz-mail");
}

function checkAs(address: string, most: number, chinese: string, english: string, rule: string): Fault | undefined {
  const length = bytes(address);
  if (length < 6 || length > most) {
    return new Fault(
      `${rule}.length`,
      `${chinese} ${show(address)} 长度应为 6~${most} 字节，现为 ${length} 字节，请更正`,
      `${english} ${show(address)} must have 6 to ${most} bytes, it has ${length}. Correct it`,
    );
  }
  if (!isAddress(address)) {
    return new Fault(
      `${rule}.invalid`,
      `${chinese} ${show(address)} 格式不正确，应如 name@example.com，请更正`,
      `${english} ${show(address)} is no address such as name@example.com. Correct it`,
    );
  }
  return undefined;
}

function isAddress(address: string): boolean {
  const at = address.indexOf("@");
  if (at < 0) {
    return false;
  }
  const labels = address.slice(at + 1).split(".");
  const top = labels.at(-1) ?? "";
  return (
    address
      .slice(0, at)
      .split(".")
      .every((part) => /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+$/.test(part)) &&
    labels.every((label) => /^[A-Za-z0-9-]+$/.test(label) && !label.startsWith("-") && !label.endsWith("-")) &&
    labels.length > 1 &&
    top.length >= 2 &&
    !/^[0-9]+$/.test(top)
  );
}
