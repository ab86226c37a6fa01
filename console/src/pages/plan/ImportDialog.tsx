import { InboxOutlined } from "@ant-design/icons";
import { Alert, Flex, Modal, Radio, Typography, Upload } from "antd";
import { useState } from "react";
import { useWords } from "../../i18n";
import { useProblemText } from "../../ui/ErrorState";
import { useToast } from "../../ui/toast";
import { Changes } from "./Changes";
import { useImportPlan, usePreviewImport, type Mode } from "./queries";

/** A file is chosen, its changes are shown, and only then taken into the plan under work. */
export function ImportDialog({ open, etag, onClose }: { open: boolean; etag: string; onClose: () => void }) {
  const { t, tx } = useWords();
  const toast = useToast();
  const text = useProblemText();
  const preview = usePreviewImport();
  const load = useImportPlan();
  const [file, setFile] = useState<File | null>(null);
  const [mode, setMode] = useState<Mode>("merge");
  const look = (chosen: File, how: Mode) => {
    setFile(chosen);
    setMode(how);
    preview.mutate({ file: chosen, mode: how });
  };
  const close = () => {
    setFile(null);
    preview.reset();
    onClose();
  };
  const shown = preview.data;
  return (
    <Modal
      open={open}
      width={860}
      title={t("plan.import")}
      okText={t("plan.importDo")}
      cancelText={t("form.cancel")}
      okButtonProps={{ disabled: !shown || shown.faults.length > 0 || shown.changes.length === 0 }}
      confirmLoading={load.isPending}
      destroyOnHidden
      onCancel={close}
      onOk={() =>
        file && load.mutate({ file, mode, etag }, {
          onSuccess: (done) => {
            toast.done(t("plan.imported", { n: done.added + done.removed + done.changed }));
            close();
          },
          onError: toast.refused,
        })
      }
    >
      <Flex vertical gap={12}>
        <Upload.Dragger accept=".yaml,.yml,.xlsx" maxCount={1} showUploadList={false} beforeUpload={(chosen) => { look(chosen, mode); return false; }}>
          <p className="ant-upload-drag-icon"><InboxOutlined /></p>
          <Typography.Text>{file ? file.name : t("plan.chooseFile")}</Typography.Text>
        </Upload.Dragger>
        <Radio.Group
          aria-label={t("plan.mode")}
          value={mode}
          onChange={(e) => (file ? look(file, e.target.value as Mode) : setMode(e.target.value as Mode))}
          options={[{ value: "merge", label: t("plan.merge") }, { value: "replace", label: t("plan.replace") }]}
        />
        {preview.isPending && <Typography.Text type="secondary">{t("plan.looking")}</Typography.Text>}
        {preview.error && <Alert type="error" showIcon title={text(preview.error)} />}
        {shown && shown.faults.length > 0 && (
          <Alert
            type="error"
            showIcon
            title={t("plan.faults", { n: shown.faults.length })}
            description={
              <ul style={{ margin: 0, paddingInlineStart: 18 }}>
                {shown.faults.slice(0, 20).map((fault, n) => (
                  <li key={n}><span className="cl-mono">{fault.path || "/"}</span>: {tx(`problem.${fault.code}`, fault.code)}</li>
                ))}
              </ul>
            }
          />
        )}
        {shown && shown.faults.length === 0 && (
          <>
            <Typography.Text>{t("plan.previewed", { added: shown.added, removed: shown.removed, changed: shown.changed })}</Typography.Text>
            <Changes changes={shown.changes} />
          </>
        )}
      </Flex>
    </Modal>
  );
}
