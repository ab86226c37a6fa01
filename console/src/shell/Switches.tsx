import { BulbOutlined, MoonOutlined, SunOutlined, TranslationOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { setLanguage, useWords } from "../i18n";
import { type Mode, useTheme } from "./theme";

export function LanguageSwitch() {
  const { language, t } = useWords();
  return (
    <Dropdown
      trigger={["click"]}
      menu={{
        selectedKeys: [language],
        items: [
          { key: "zh", label: "中文" },
          { key: "en", label: "English" },
        ],
        onClick: ({ key }) => setLanguage(key === "en" ? "en" : "zh"),
      }}
    >
      <Button type="text" icon={<TranslationOutlined />} aria-label={t("header.language")} title={t("header.language")} />
    </Dropdown>
  );
}

export function ThemeSwitch() {
  const { t } = useWords();
  const { mode, dark, setMode } = useTheme();
  return (
    <Dropdown
      trigger={["click"]}
      menu={{
        selectedKeys: [mode],
        items: [
          { key: "system", label: t("theme.system"), icon: <BulbOutlined /> },
          { key: "light", label: t("theme.light"), icon: <SunOutlined /> },
          { key: "dark", label: t("theme.dark"), icon: <MoonOutlined /> },
        ],
        onClick: ({ key }) => setMode(key as Mode),
      }}
    >
      <Button
        type="text"
        icon={dark ? <MoonOutlined /> : <SunOutlined />}
        aria-label={t("header.theme")}
        title={t("header.theme")}
      />
    </Dropdown>
  );
}
