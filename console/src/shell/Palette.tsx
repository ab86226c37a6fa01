import { Input, Modal, Typography } from "antd";
import type { InputRef } from "antd";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useNavigate } from "react-router";
import { api, unwrap } from "../api/client";
import { every } from "../api/every";
import { fetchEverySegment } from "../api/segments";
import { useMay } from "../api/session";
import type { Page } from "../api/types";
import { useWords } from "../i18n";
import { visible } from "./navigation";

type Entry = { id: string; label: string; hint: string; icon?: ReactNode; to: string };
type Named = { id: string; name: string };

const fetchSegments = (): Promise<Page<Named>> => fetchEverySegment();
const fetchJourneys = (): Promise<Page<Named>> =>
  every((cursor) => unwrap(api.GET("/api/journeys", { params: { query: { limit: 200, cursor } } })));

const fetchFeeds = (): Promise<Page<Named>> =>
  every((cursor) => unwrap(api.GET("/api/feeds", { params: { query: { limit: 200, cursor } } })));

function useObjects(noun: string, fetch: () => Promise<Page<Named>>, enabled: boolean) {
  return useQuery({ queryKey: ["palette", noun], queryFn: fetch, enabled, staleTime: 60_000 });
}

/** Ctrl/⌘ K: every page and every named object, by a few letters. */
export function Palette({ open, onOpen }: { open: boolean; onOpen: (open: boolean) => void }) {
  const { t } = useWords();
  const may = useMay();
  const go = useNavigate();
  const input = useRef<InputRef>(null);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const segments = useObjects("segments", fetchSegments, open && may("segment.read"));
  const journeys = useObjects("journeys", fetchJourneys, open && may("journey.read"));
  const feeds = useObjects("feeds", fetchFeeds, open && may("source.read"));

  useEffect(() => {
    const listen = (event: globalThis.KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        onOpen(true);
      }
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [onOpen]);

  const entries = useMemo<Entry[]>(() => {
    const pages = visible(may).flatMap((area) =>
      area.places.map((p) => ({ id: p.path, label: t(p.label), hint: t(area.label), icon: p.icon, to: p.path })),
    );
    const named = (items: Named[] | undefined, base: string, hint: string) =>
      (items ?? []).map((o) => ({ id: base + o.id, label: o.name, hint, to: base + o.id }));
    const word = text.trim().toLowerCase();
    const all = [
      ...pages,
      ...named(segments.data?.items, "/segments/", t("nav.segments")),
      ...named(journeys.data?.items, "/journeys/", t("nav.journeys")),
      ...named(feeds.data?.items, "/feeds?feed=", t("nav.feeds")),
    ].filter((e) => !word || `${e.label} ${e.to} ${e.hint}`.toLowerCase().includes(word));
    if (word && may("person.read")) {
      const to = `/persons?q=${encodeURIComponent(text.trim())}`;
      all.push({ id: "person", label: t("palette.person", { text: text.trim() }), hint: t("nav.persons"), to });
    }
    return all.slice(0, 14);
  }, [text, may, t, segments.data, journeys.data, feeds.data]);

  const close = () => {
    onOpen(false);
    setText("");
    setChosen(0);
  };
  const follow = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    void go(entry.to);
  };
  const steer = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setChosen((chosen + step + entries.length) % Math.max(1, entries.length));
    }
    if (event.key === "Enter" && !event.nativeEvent.isComposing) follow(entries[chosen]);
  };
  return (
    <Modal
      open={open}
      footer={null}
      closable={false}
      title={<span style={{ fontSize: 13 }}>{t("palette.title")}</span>}
      onCancel={close}
      destroyOnHidden
      width={560}
      afterOpenChange={(shown) => shown && input.current?.focus()}
    >
      <Input
        ref={input}
        size="large"
        value={text}
        placeholder={t("palette.placeholder")}
        aria-label={t("palette.placeholder")}
        role="combobox"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={entries[chosen] ? `palette-${chosen}` : undefined}
        onKeyDown={steer}
        onChange={(event) => {
          setText(event.target.value);
          setChosen(0);
        }}
      />
      <div id="palette-list" role="listbox" aria-label={t("palette.title")} style={{ marginTop: 8, maxHeight: 420, overflow: "auto" }}>
        {entries.map((entry, index) => (
          <div
            key={entry.id}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            className="cl-clickable"
            onMouseEnter={() => setChosen(index)}
            onClick={() => follow(entry)}
            style={{
              display: "flex", gap: 10, padding: "8px 12px", borderRadius: 6,
              background: index === chosen ? "rgba(90,130,230,0.16)" : undefined,
            }}
          >
            {entry.icon}
            <span style={{ flex: 1 }}>{entry.label}</span>
            <Typography.Text type="secondary">{entry.hint}</Typography.Text>
          </div>
        ))}
      </div>
    </Modal>
  );
}
