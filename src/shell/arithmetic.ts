import { isKnown } from "./marks.ts";

/** One binary step of shell arithmetic; null where it has no result that can be told. */
export function calculate(operator: string, left: number, right: number): number | null {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? null : Math.trunc(left / right);
    case "%":
      return right === 0 ? null : left % right;
    case "**":
      return right < 0 || right > 64 ? null : left ** right;
    case "<<":
      return left * 2 ** right;
    case ">>":
      return Math.floor(left / 2 ** right);
    case "&":
      return left & right;
    case "|":
      return left | right;
    case "^":
      return left ^ right;
    case "<":
      return Number(left < right);
    case ">":
      return Number(left > right);
    case "<=":
      return Number(left <= right);
    case ">=":
      return Number(left >= right);
    case "==":
      return Number(left === right);
    case "!=":
      return Number(left !== right);
    case ",":
      return right;
    default:
      return null;
  }
}

/** A constant as the shell writes it: decimal, 0x hex, 0 octal, base#digits. */
export function readInteger(text: string): number | null {
  if (!isKnown(text)) return null;
  const trimmed = text.trim();
  if (trimmed === "") return 0;
  if (/^[+-]?(?:0|[1-9]\d{0,15})$/.test(trimmed)) return Number(trimmed);
  if (/^0x[0-9a-f]{1,12}$/i.test(trimmed)) return Number(trimmed);
  if (/^0[0-7]{1,16}$/.test(trimmed)) return Number.parseInt(trimmed, 8);
  const based = /^(\d{1,2})#([0-9a-z]{1,12})$/i.exec(trimmed);
  const base = Number(based?.[1]);
  if (based === null || base < 2 || base > 36) return null;
  const value = Number.parseInt(based[2] ?? "", base);
  return Number.isNaN(value) ? null : value;
}
