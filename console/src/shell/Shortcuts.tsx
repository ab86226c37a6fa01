import { Modal } from "antd";
import { useEffect, useRef } from "react";
import { useNavigate } from "react-router";
import { useMay } from "../api/session";
import { useWords } from "../i18n";
import { visible } from "./navigation";

function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element?.closest("input, textarea, select, [contenteditable=true], [role=dialog], .react-flow");
}

/** `?` lists the shortcuts; `g` then a letter goes to a page. */
export function Shortcuts({ open, onOpen }: { open: boolean; onOpen: (open: boolean) => void }) {
  const { t } = useWords();
  const may = useMay();
  const go = useNavigate();
  const armed = useRef(0);
  const places = visible(may).flatMap((area) => area.places).filter((p) => p.hotkey);

  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      if (event.key === "?") return onOpen(true);
      if (event.key === "g") {
        armed.current = Date.now();
        return;
      }
      const place = places.find((p) => p.hotkey === event.key);
      if (place && Date.now() - armed.current < 1200) void go(place.path);
      armed.current = 0;
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [places, go, onOpen]);

  const rows: [string, string][] = [
    ["Ctrl K / ⌘ K", t("shortcuts.palette")],
    ["?", t("shortcuts.help")],
    ["Esc", t("shortcuts.close")],
    ...places.map((p): [string, string] => [`g ${p.hotkey}`, t(p.label)]),
  ];
  return (
    <Modal open={open} title={t("shortcuts.title")} footer={null} onCancel={() => onOpen(false)}>
      <dl style={{ display: "grid", gridTemplateColumns: "auto 1fr", gap: "8px 20px", margin: 0 }}>
        {rows.map(([keys, what]) => (
          <div key={keys} style={{ display: "contents" }}>
            <dt><span className="cl-kbd">{keys}</span></dt>
            <dd style={{ margin: 0 }}>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
