import { theme as antd, type ThemeConfig } from "antd";
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { recall, remember } from "../ui/storage";

export type Mode = "system" | "light" | "dark";
type Theme = { mode: Mode; dark: boolean; setMode: (mode: Mode) => void };

const Context = createContext<Theme>({ mode: "system", dark: false, setMode: () => undefined });

function prefersDark(): MediaQueryList | null {
  return typeof window.matchMedia === "function"
    ? window.matchMedia("(prefers-color-scheme: dark)")
    : null;
}

/** Whether the system asks for less movement: dialogs then stand where they open. */
export function prefersStillness(): boolean {
  return typeof window.matchMedia === "function" && (window.matchMedia("(prefers-reduced-motion: reduce)")?.matches ?? false);
}

/** Light or dark: as the system says until the user chooses. */
export function ThemeProvider({ children }: { children: ReactNode }) {
  const [mode, choose] = useState<Mode>(() => {
    const kept = recall("theme");
    return kept === "light" || kept === "dark" ? kept : "system";
  });
  const [system, setSystem] = useState(() => prefersDark()?.matches ?? false);
  useEffect(() => {
    const media = prefersDark();
    const follow = () => setSystem(media?.matches ?? false);
    media?.addEventListener("change", follow);
    return () => media?.removeEventListener("change", follow);
  }, []);
  const dark = mode === "system" ? system : mode === "dark";
  useEffect(() => {
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
    document.documentElement.style.background = dark ? "#101216" : "#f5f6f8";
  }, [dark]);
  const value = useMemo(
    () => ({
      mode,
      dark,
      setMode: (next: Mode) => {
        remember("theme", next);
        choose(next);
      },
    }),
    [mode, dark],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export const useTheme = () => useContext(Context);

const FONT =
  '-apple-system, "Segoe UI", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

/** antd's tokens, with secondary text dark enough for WCAG AA. */
export function tokens(dark: boolean): ThemeConfig {
  const shared = { fontFamily: FONT, borderRadius: 8, fontSize: 14, wireframe: false, motion: !prefersStillness() };
  if (dark) {
    return {
      algorithm: antd.darkAlgorithm,
      token: {
        ...shared,
        colorPrimary: "#3f6fe0",
        colorLink: "#8db0ff",
        colorLinkHover: "#b3caff",
        colorBgLayout: "#101216",
        colorBgContainer: "#191c22",
        colorBgElevated: "#21252d",
        colorTextSecondary: "rgba(255,255,255,0.72)",
        colorTextTertiary: "rgba(255,255,255,0.64)",
        colorTextDescription: "rgba(255,255,255,0.66)",
        colorTextPlaceholder: "rgba(255,255,255,0.56)",
        colorError: "#ff8a8b",
        colorSuccess: "#4fbf75",
        colorWarning: "#e2a03f",
        colorSuccessBg: "#12281a",
        colorSuccessBorder: "#2c6b40",
      },
      components: {
        Tabs: { itemSelectedColor: "#a9c3ff", itemHoverColor: "#c4d5ff", inkBarColor: "#8db0ff" },
        Button: { dangerColor: "#1d0f10" },
        Layout: { siderBg: "#14171c", headerBg: "#14171c", triggerBg: "#14171c" },
        Menu: {
          itemHeight: 34,
          itemMarginBlock: 1,
          itemBg: "transparent",
          subMenuItemBg: "transparent",
          itemSelectedColor: "#a9c3ff",
          groupTitleColor: "rgba(255,255,255,0.64)",
          darkItemBg: "transparent",
        },
      },
    };
  }
  return {
    algorithm: antd.defaultAlgorithm,
    token: {
      ...shared,
      colorPrimary: "#1750c4",
      colorLink: "#1750c4",
      colorBgLayout: "#f5f6f8",
      colorTextSecondary: "rgba(0,0,0,0.68)",
      colorTextTertiary: "rgba(0,0,0,0.62)",
      colorTextDescription: "rgba(0,0,0,0.64)",
      colorTextPlaceholder: "rgba(0,0,0,0.56)",
      colorError: "#c92a2a",
      colorSuccess: "#12702f",
      colorWarning: "#9a4507",
      colorSuccessBg: "#ebf7ef",
      colorSuccessBorder: "#a3d5b3",
      colorWarningBg: "#fff7ea",
      colorWarningBorder: "#f0cf9a",
    },
    components: {
      Layout: { siderBg: "#ffffff", headerBg: "#ffffff" },
      Menu: { itemHeight: 34, itemMarginBlock: 1, itemBg: "transparent", groupTitleColor: "rgba(0,0,0,0.62)", activeBarBorderWidth: 0 },
    },
  };
}
