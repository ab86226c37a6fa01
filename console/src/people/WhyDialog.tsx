import { Form, Input, Modal } from "antd";
import type { ReactNode } from "react";
import { useWords } from "../i18n";

type Props<T> = {
  open: boolean;
  title: string;
  okText: string;
  danger?: boolean;
  busy?: boolean;
  initial?: Partial<T>;
  children?: ReactNode;
  onDone: (values: T & { reason: string }) => void;
  onClose: () => void;
};

/** Asks for a reason, which the audit log keeps, and for whatever the children ask. */
export function WhyDialog<T extends object>({ open, title, okText, danger, busy, initial, children, onDone, onClose }: Props<T>) {
  const { t } = useWords();
  const [form] = Form.useForm();
  return (
    <Modal
      open={open}
      title={title}
      okText={okText}
      okButtonProps={{ danger }}
      cancelText={t("form.cancel")}
      confirmLoading={busy}
      destroyOnHidden
      onCancel={onClose}
      onOk={() => form.submit()}
    >
      <Form form={form} layout="vertical" requiredMark={false} preserve={false} initialValues={initial} onFinish={(values) => onDone(values as T & { reason: string })}>
        {children}
        <Form.Item name="reason" label={t("why.reason")} extra={t("why.hint")} rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
          <Input maxLength={500} />
        </Form.Item>
      </Form>
    </Modal>
  );
}
