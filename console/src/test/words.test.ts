import { describe, expect, it } from "vitest";
import { en } from "../locales/en";
import { zh } from "../locales/zh";

const variables = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]).sort();

describe("words", () => {
  it("has the same keys in both languages", () => {
    expect(Object.keys(en)).toEqual(Object.keys(zh));
  });

  it("fills the same variables in both languages", () => {
    for (const key of Object.keys(zh) as (keyof typeof zh)[]) {
      expect(variables(en[key]), key).toEqual(variables(zh[key]));
    }
  });

  it("leaves no text empty and no Chinese in English", () => {
    for (const [key, text] of Object.entries(en)) {
      expect(text.trim(), key).not.toBe("");
      expect(/[\u4e00-\u9fff]/.test(text), key).toBe(false);
    }
  });
});
