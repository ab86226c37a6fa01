import { Button, Flex, Form, Tag, Typography } from "antd";
import { useState } from "react";
import { useWords } from "../../i18n";
import { Loaded } from "../../ui/Loaded";
import type { Schema } from "../../ui/SchemaForm";
import { useToast } from "../../ui/toast";
import { SettingsForm } from "./SettingsForm";
import type { Document } from "./mapping";
import { useFeedKinds, usePatch, type FeedKind, type Tagged } from "./queries";

function Settings({ feed, kind }: { feed: Tagged; kind: FeedKind }) {
  const { t, tx } = useWords();
  const toast = useToast();
  const [base, setBase] = useState(feed);
  const patch = usePatch(base);
  const [form] = Form.useForm<{ settings: Document }>();
  const done = (saved: Tagged) => {
    setBase(saved);
    toast.done(t("builder.saved"));
  };
  const save = (settings: Document) => patch.mutate({ settings }, { onSuccess: done });
  return (
    <Flex vertical gap={16} align="flex-start">
      {feed.secrets.length > 0 && (
        <Typography.Text type="secondary">
          {t("feeds.secretsSet")} {feed.secrets.map((name) => <Tag key={name} variant="outlined">{tx(`setting.${name}`, name)}</Tag>)}
        </Typography.Text>
      )}
      <div style={{ width: "100%", maxWidth: 640 }}>
        <SettingsForm form={form} kind={feed.kind} schema={kind.settings as Schema} initial={feed.settings} stored refused={patch.error} onSubmit={save} />
      </div>
      <Button type="primary" loading={patch.isPending} onClick={() => form.submit()}>{t("form.save")}</Button>
    </Flex>
  );
}

/** Where a feed reads; secrets are never shown, only that they are set. */
export function FeedSettings({ feed }: { feed: Tagged }) {
  const { t } = useWords();
  const kinds = useFeedKinds();
  return (
    <Loaded query={kinds}>
      {({ items }) => {
        const kind = items.find((one) => one.kind === feed.kind);
        return kind ? <Settings feed={feed} kind={kind} /> : <Typography.Text type="secondary">{t("feeds.kindGone")}</Typography.Text>;
      }}
    </Loaded>
  );
}
