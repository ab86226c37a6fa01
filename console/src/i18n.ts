import i18next from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";
import { codes } from "./locales/codes";
import { en } from "./locales/en";
import { zh } from "./locales/zh";
import { recall, remember } from "./ui/storage";

export type Key = keyof typeof zh;
export type Language = "zh" | "en";
export type Titles = { [language: string]: string };
type Values = Record<string, string | number>;

void i18next.use(initReactI18next).init({
  resources: { zh: { translation: { ...codes("zh"), ...zh } }, en: { translation: { ...codes("en"), ...en } } },
  lng: recall("language") === "en" ? "en" : "zh",
  fallbackLng: "zh",
  keySeparator: false,
  nsSeparator: false,
  interpolation: { escapeValue: false },
});

function mark(language: string) {
  document.documentElement.lang = language === "en" ? "en" : "zh-CN";
}
mark(i18next.language);
i18next.on("languageChanged", mark);

export function setLanguage(language: Language) {
  remember("language", language);
  void i18next.changeLanguage(language);
}

/** Words in the language in force: `t` for our own, `title` for `{zh, en}` values of the server. */
export function useWords() {
  const { t: raw, i18n } = useTranslation();
  const language = (i18n.language === "en" ? "en" : "zh") as Language;
  return {
    language,
    t: (key: Key, values: Values = {}) => raw(key, values),
    /** A key made at run time; `fallback` where we have no word for it. */
    tx: (key: string, fallback: string) => (i18n.exists(key) ? raw(key) : fallback),
    title: (titles: Titles | null | undefined, fallback = "") =>
      titles?.[language] ?? titles?.zh ?? fallback,
  };
}
