import { MergeCellsOutlined } from "@ant-design/icons";
import { Button, Form, Input } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useWords } from "../../i18n";
import { PersonPick } from "../../people/PersonPick";
import { ConfirmTyped } from "../../ui/ConfirmTyped";
import { useToast } from "../../ui/toast";
import { useMerge, type Person } from "./queries";

/** Decide that another person is this one. */
export function Merge({ person }: { person: Person }) {
  const { t } = useWords();
  const toast = useToast();
  const go = useNavigate();
  const merge = useMerge(person.id);
  const [open, setOpen] = useState(false);
  const [other, setOther] = useState("");
  const [reason, setReason] = useState("");
  const close = () => {
    setOpen(false);
    setOther("");
    setReason("");
    merge.reset();
  };
  return (
    <>
      <Button icon={<MergeCellsOutlined />} onClick={() => setOpen(true)}>{t("merge.open")}</Button>
      <ConfirmTyped
        open={open}
        title={t("merge.title")}
        word={`#${person.number}`}
        consequence={t("merge.consequence")}
        okText={t("merge.submit")}
        busy={merge.isPending}
        problem={merge.error}
        ready={other !== "" && reason.trim().length >= 4}
        onCancel={close}
        onConfirm={() =>
          merge.mutate({ b: other, reason }, {
            onSuccess: ({ id }) => {
              toast.done(t("merge.done"));
              close();
              void go(`/persons/${id}`, { replace: true });
            },
          })
        }
      >
        <PersonPick value={other} onChange={setOther} except={person.id} />
        <Form layout="vertical" component="div">
          <Form.Item label={t("person.reason")} htmlFor="merge-reason" style={{ margin: 0 }}>
            <Input id="merge-reason" value={reason} maxLength={200} onChange={(e) => setReason(e.target.value)} placeholder={t("merge.reasonPlaceholder")} />
          </Form.Item>
        </Form>
      </ConfirmTyped>
    </>
  );
}
