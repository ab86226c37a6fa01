import { ScissorOutlined } from "@ant-design/icons";
import { Button, Flex, Form, Input, Tag } from "antd";
import { useState } from "react";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { useEventWords } from "../../people/event";
import { ConfirmTyped } from "../../ui/ConfirmTyped";
import { short } from "../../ui/format";
import { Time } from "../../ui/Time";
import { useToast } from "../../ui/toast";
import { useSplit, type IdentifierValue, type Person } from "./queries";
import { ScrollTable } from "../../ui/ScrollTable";

function SplitDialog({ person, chosen, open, onClose }: { person: Person; chosen: number[]; open: boolean; onClose: () => void }) {
  const { t } = useWords();
  const toast = useToast();
  const split = useSplit(person.id);
  const [reason, setReason] = useState("");
  return (
    <ConfirmTyped
      open={open}
      title={t("split.title")}
      word={`#${person.number}`}
      consequence={t("split.consequence", { n: chosen.length, total: person.identifiers.length })}
      okText={t("split.submit")}
      busy={split.isPending}
      problem={split.error}
      ready={reason.trim().length >= 4}
      onCancel={onClose}
      onConfirm={() =>
        split.mutate({ identifiers: chosen, reason }, {
          onSuccess: () => {
            toast.done(t("split.done"));
            onClose();
          },
        })
      }
    >
      <Form layout="vertical">
        <Form.Item label={t("person.reason")} htmlFor="split-reason" style={{ margin: 0 }}>
          <Input id="split-reason" value={reason} maxLength={200} onChange={(e) => setReason(e.target.value)} placeholder={t("split.reasonPlaceholder")} />
        </Form.Item>
      </Form>
    </ConfirmTyped>
  );
}

/** The identifiers that make this person, and the way to take some of them away. */
export function Identifiers({ person }: { person: Person }) {
  const { t, title } = useWords();
  const may = useMay();
  const { source } = useEventWords();
  const [chosen, setChosen] = useState<number[]>([]);
  const [splitting, setSplitting] = useState(false);
  const splittable = may("person.write") && person.identifiers.length > 1;
  return (
    <Flex vertical gap={12}>
      <ScrollTable<IdentifierValue>
        rowKey="number"
        dataSource={person.identifiers}
        rowSelection={
          splittable
            ? {
                selectedRowKeys: chosen,
                onChange: (keys) => setChosen(keys as number[]),
                columnTitle: t("split.column"),
                columnWidth: 64,
                getTitleCheckboxProps: () => ({ "aria-label": t("split.all") }),
                getCheckboxProps: (row) => ({ "aria-label": `${t("split.column")} ${row.value}` }),
              }
            : undefined
        }
        columns={[
          { title: t("identifier.type"), key: "type", render: (_, i) => title(i.title, i.type) },
          {
            title: t("identifier.value"),
            key: "value",
            render: (_, i) => {
              const whole = i.namespace ? `${i.namespace} / ${i.value}` : i.value;
              return <span className="cl-mono" title={whole}>{short(i.value)}</span>;
            },
          },
          { title: t("person.firstSeen"), key: "first", render: (_, i) => <Time at={i.first_at} /> },
          { title: t("identifier.hub"), key: "hub", render: (_, i) => (i.hub ? <Tag color="warning" variant="outlined">{t("identifier.isHub")}</Tag> : "–") },
          { title: t("event.source"), key: "source", render: (_, i) => (i.source ? source(i.source) : "–") },
        ]}
      />
      {splittable && (
        <Button
          icon={<ScissorOutlined />}
          disabled={chosen.length === 0 || chosen.length === person.identifiers.length}
          onClick={() => setSplitting(true)}
          style={{ alignSelf: "flex-start" }}
        >
          {t("split.open", { n: chosen.length })}
        </Button>
      )}
      <SplitDialog
        person={person}
        chosen={chosen}
        open={splitting}
        onClose={() => {
          setSplitting(false);
          setChosen([]);
        }}
      />
    </Flex>
  );
}
