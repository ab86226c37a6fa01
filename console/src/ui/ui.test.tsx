import { QueryClient } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { Problem } from "../api/client";
import { setLanguage } from "../i18n";
import { Providers } from "../shell/Providers";
import { RuleBuilder } from "../rules/RuleBuilder";
import { emptyRule, type Group } from "../rules/model";
import { ConfirmTyped } from "./ConfirmTyped";
import { Count } from "./CountTag";
import { cell } from "./csv";
import { ErrorState } from "./ErrorState";
import { dateTime, duration, percent } from "./format";

const show = (node: React.ReactNode) => render(<Providers queries={new QueryClient()}>{node}</Providers>);

describe("formats", () => {
  it("shows times in the tenant's zone", () => {
    expect(dateTime("2026-11-22T16:00:00Z")).toBe("2026-11-23 00:00:00");
  });

  it("shortens lengths of time", () => {
    expect(duration(93_784_000, "en")).toBe("1d 2h");
    expect(duration(0, "zh")).toBe("0 秒");
    expect(percent(1 / 3)).toBe("33.3%");
  });

  it("defuses formulae and quotes cells", () => {
    expect(cell("=1+1")).toBe("'=1+1");
    expect(cell('a "b", c')).toBe('"a ""b"", c"');
    expect(cell(-3)).toBe("-3");
  });
});

describe("primitives", () => {
  it("never shows a withheld count", () => {
    show(<Count value={7} suppressed />);
    expect(screen.getByText("<10")).toBeInTheDocument();
  });

  it("tells an error by its code and retries", async () => {
    setLanguage("en");
    const retry = vi.fn();
    show(<ErrorState problem={new Problem(409, "stale", "raw text")} onRetry={retry} />);
    expect(screen.getByText(/Somebody changed it/)).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(retry).toHaveBeenCalledOnce();
  });

  it("confirms only after the word is typed", async () => {
    setLanguage("en");
    const confirm = vi.fn();
    show(
      <ConfirmTyped open title="Erase" word="#12" consequence="gone" okText="Go" onConfirm={confirm} onCancel={() => undefined} />,
    );
    expect(screen.getByRole("button", { name: "Go" })).toBeDisabled();
    await userEvent.type(screen.getByRole("textbox"), "#12");
    await userEvent.click(screen.getByRole("button", { name: "Go" }));
    expect(confirm).toHaveBeenCalledOnce();
  });
});

const CATALOGUE = {
  as_of: "2026-11-22T08:00:00Z", event_types: [],
  fields: [{ name: "city", title: { zh: "城市", en: "City" }, type: "string", class: "descriptive", codes: null, ops: [] }],
  identifier_types: [],
  entity_types: [],
  relation_types: [],
  ops: {},
};

function Built({ onRule }: { onRule: (rule: Group) => void }) {
  const [rule, setRule] = useState(emptyRule);
  return (
    <RuleBuilder
      rule={rule}
      catalogue={CATALOGUE}
      segments={[]}
      onChange={(next) => {
        setRule(next);
        onRule(next);
      }}
    />
  );
}

describe("rule builder", () => {
  it("adds, negates and removes a condition", async () => {
    setLanguage("en");
    const seen = vi.fn();
    show(<Built onRule={seen} />);
    await userEvent.click(screen.getByRole("button", { name: /Add condition/ }));
    await userEvent.click(await screen.findByRole("menuitem", { name: "Attribute" }));
    expect(seen).toHaveBeenLastCalledWith({ kind: "all", rules: [{ kind: "attribute", field: "", op: "=", value: null }] });
    await userEvent.click(screen.getByRole("button", { name: "Negate" }));
    expect(seen.mock.lastCall?.[0].rules[0].kind).toBe("not");
    await userEvent.click(screen.getByRole("button", { name: "Remove condition" }));
    expect(seen).toHaveBeenLastCalledWith({ kind: "all", rules: [] });
  });
});
