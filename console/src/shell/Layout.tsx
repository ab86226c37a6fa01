import { KeyOutlined, LogoutOutlined, QuestionCircleOutlined, SearchOutlined, UserOutlined } from "@ant-design/icons";
import { App, Button, Dropdown, Flex, Layout as Frame, Menu, Modal, Skeleton, Spin, Typography } from "antd";
import { Suspense, useEffect, useRef, useState } from "react";
import { Link, Outlet, useLocation } from "react-router";
import { useMay, useSession, useSignOut } from "../api/session";
import { useWords } from "../i18n";
import { ErrorState } from "../ui/ErrorState";
import { recall, remember } from "../ui/storage";
import { Freshness } from "./Freshness";
import { visible } from "./navigation";
import { Palette } from "./Palette";
import { Shortcuts } from "./Shortcuts";
import { FirstPassword, PasswordForm, SignIn } from "./SignIn";
import { LanguageSwitch, ThemeSwitch } from "./Switches";
import { useTheme } from "./theme";

function UserMenu({ name }: { name: string }) {
  const { t } = useWords();
  const { message } = App.useApp();
  const signOut = useSignOut();
  const [changing, setChanging] = useState(false);
  return (
    <>
      <Dropdown
        trigger={["click"]}
        menu={{
          items: [
            { key: "password", label: t("password.change"), icon: <KeyOutlined /> },
            { type: "divider" },
            { key: "out", label: t("header.signOut"), icon: <LogoutOutlined /> },
          ],
          onClick: ({ key }) => (key === "out" ? signOut.mutate() : setChanging(true)),
        }}
      >
        <Button type="text" icon={<UserOutlined />} aria-label={t("header.user", { name })}>
          {name}
        </Button>
      </Dropdown>
      <Modal
        open={changing}
        title={t("password.change")}
        footer={null}
        destroyOnHidden
        onCancel={() => setChanging(false)}
      >
        <PasswordForm
          onDone={() => {
            setChanging(false);
            void message.success(t("password.done"));
          }}
        />
      </Modal>
    </>
  );
}

function Navigation({ collapsed }: { collapsed: boolean }) {
  const { t } = useWords();
  const may = useMay();
  const { pathname } = useLocation();
  const areas = visible(may);
  const places = areas.flatMap((area) => area.places);
  const current = places
    .filter((p) => (p.path === "/" ? pathname === "/" : pathname.startsWith(p.path)))
    .sort((a, b) => b.path.length - a.path.length)[0];
  return (
    <nav aria-label={t("nav.label")}>
      <Menu
        mode="inline"
        selectedKeys={current ? [current.path] : []}
        inlineCollapsed={collapsed}
        style={{ borderInlineEnd: 0, paddingInline: 8 }}
        items={areas.map((area) => ({
          type: "group" as const,
          key: area.label,
          label: collapsed ? null : t(area.label),
          children: area.places.map((p) => ({
            key: p.path,
            icon: p.icon,
            label: <Link to={p.path}>{t(p.label)}</Link>,
          })),
        }))}
      />
    </nav>
  );
}

function Signed({ name }: { name: string }) {
  const { t } = useWords();
  const { dark } = useTheme();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const [collapsed, setCollapsed] = useState(() => recall("sider") === "collapsed");
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const line = `1px solid ${dark ? "rgba(255,255,255,0.08)" : "rgba(0,0,0,0.07)"}`;
  useEffect(() => main.current?.focus({ preventScroll: true }), [pathname]);
  return (
    <Frame style={{ minHeight: "100vh" }}>
      <a className="cl-skip" href="#main" onClick={() => main.current?.focus()}>
        {t("header.skip")}
      </a>
      <Frame.Sider
        width={212}
        collapsible
        collapsed={collapsed}
        theme={dark ? "dark" : "light"}
        onCollapse={(next) => {
          remember("sider", next ? "collapsed" : "open");
          setCollapsed(next);
        }}
        style={{ position: "sticky", top: 0, height: "100vh", overflow: "auto", borderInlineEnd: line }}
      >
        <Link
          to="/"
          aria-label="carloop"
          style={{ display: "flex", alignItems: "center", gap: 10, height: 56, paddingInline: 24 }}
        >
          <img src="/console/favicon.svg" width={28} height={28} alt="" />
          {!collapsed && <Typography.Text strong style={{ fontSize: 18 }}>carloop</Typography.Text>}
        </Link>
        <Navigation collapsed={collapsed} />
      </Frame.Sider>
      <Frame>
        <Frame.Header
          className="cl-header"
          style={{ position: "sticky", top: 0, zIndex: 20, height: 56, lineHeight: "normal", paddingInline: 24, borderBottom: line }}
        >
          <Flex align="center" gap={4} style={{ height: "100%" }}>
            <Button icon={<SearchOutlined />} onClick={() => setPalette(true)} style={{ width: 260, justifyContent: "flex-start" }}>
              <span style={{ flex: 1, textAlign: "start" }}>{t("palette.open")}</span>
              <span className="cl-kbd">Ctrl K</span>
            </Button>
            <span style={{ flex: 1 }} />
            <Freshness />
            <Button type="text" icon={<QuestionCircleOutlined />} aria-label={t("shortcuts.title")} title={t("shortcuts.title")} onClick={() => setHelp(true)} />
            <LanguageSwitch />
            <ThemeSwitch />
            <UserMenu name={name} />
          </Flex>
        </Frame.Header>
        <main id="main" ref={main} tabIndex={-1} className="cl-main" style={{ padding: "20px 24px 48px", minWidth: 0 }}>
          <Suspense fallback={<Skeleton active paragraph={{ rows: 8 }} />}>
            <Outlet />
          </Suspense>
        </main>
      </Frame>
      <Palette open={palette} onOpen={setPalette} />
      <Shortcuts open={help} onOpen={setHelp} />
    </Frame>
  );
}

/** Who may see what: sign-in, the forced first password change, or the console itself. */
export function Layout() {
  const session = useSession();
  if (session.isPending) return <Spin fullscreen />;
  if (session.isError) return <ErrorState problem={session.error} onRetry={() => void session.refetch()} />;
  if (session.data === null) return <SignIn />;
  if (session.data.must_change) return <FirstPassword />;
  return <Signed name={session.data.user.username} />;
}
