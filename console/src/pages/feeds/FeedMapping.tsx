import { Alert, Button, Flex, Typography } from "antd";
import { useState } from "react";
import { Problem } from "../../api/client";
import { useCatalogue, type Catalogue } from "../../api/catalogue";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { Json } from "../../ui/Code";
import { useProblemText } from "../../ui/ErrorState";
import { Loaded } from "../../ui/Loaded";
import { useToast } from "../../ui/toast";
import { MappingEditor, fit } from "./MappingEditor";
import { columnsOf } from "./TrialResult";
import { columnOfPath, isRows, type Document } from "./mapping";
import { usePatch, useTryStored, type Tagged } from "./queries";

function Editor({ feed, catalogue }: { feed: Tagged; catalogue: Catalogue }) {
  const { t } = useWords();
  const text = useProblemText();
  const toast = useToast();
  const attempt = useTryStored(feed.id);
  const [base, setBase] = useState(feed);
  const patch = usePatch(base);
  const [mapping, setMapping] = useState<unknown>(feed.mapping ?? undefined);
  const seen = { columns: columnsOf(attempt.data), sample: attempt.data?.sample ?? [] };
  const look = () =>
    attempt.mutate(undefined, {
      onSuccess: (trial) => mapping === undefined && setMapping(trial.mapping),
      onError: toast.refused,
    });
  const done = (saved: Tagged) => {
    setBase(saved);
    toast.done(t("feeds.mappingSaved"));
  };
  const save = () => patch.mutate({ mapping: mapping as Document }, { onSuccess: done });
  const headers = isRows(mapping) ? Object.keys(mapping.columns) : [];
  const wrong = patch.error instanceof Problem ? columnOfPath(patch.error.path, headers) : undefined;
  return (
    <Flex vertical gap={16}>
      <Flex gap={12} align="center" wrap>
        <Button loading={attempt.isPending} onClick={look}>{t("feeds.lookAgain")}</Button>
        <Typography.Text type="secondary">{t(mapping === undefined ? "feeds.proposeHint" : "feeds.lookHint")}</Typography.Text>
      </Flex>
      {patch.error && (
        <Alert
          role="alert"
          type="error"
          showIcon
          title={wrong ? t("feeds.columnWrong", { column: wrong, why: text(patch.error) }) : text(patch.error)}
          description={patch.error instanceof Problem ? patch.error.message : undefined}
        />
      )}
      {mapping !== undefined && (
        <>
          <MappingEditor value={mapping} seen={seen} catalogue={catalogue} wrong={wrong} onChange={setMapping} />
          <Flex><Button type="primary" disabled={!fit(mapping, seen)} loading={patch.isPending} onClick={save}>{t("form.save")}</Button></Flex>
        </>
      )}
    </Flex>
  );
}

/** What the columns of a feed mean: to edit, or only to read. */
export function FeedMapping({ feed }: { feed: Tagged }) {
  const { t } = useWords();
  const may = useMay();
  const catalogue = useCatalogue();
  if (may("source.write")) return <Loaded query={catalogue}>{(known) => <Editor feed={feed} catalogue={known} />}</Loaded>;
  return feed.mapping ? <Json value={feed.mapping} label={t("feeds.mapping")} /> : <Typography.Text type="secondary">{t("feeds.needsMapping")}</Typography.Text>;
}
