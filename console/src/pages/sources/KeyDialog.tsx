import { Form, InputNumber, Modal, Select } from "antd";
import { useWords } from "../../i18n";
import { useToast } from "../../ui/toast";
import { usePatchKey, type WriteKey } from "./queries";

type Props = { source: number; writeKey: WriteKey | null; onClose: () => void };

/** From where and how often a write key may be used. */
export function KeyDialog({ source, writeKey, onClose }: Props) {
  const { t } = useWords();
  const toast = useToast();
  const patch = usePatchKey(source);
  const [form] = Form.useForm<Pick<WriteKey, "origins" | "rate">>();
  return (
    <Modal
      open={writeKey !== null}
      title={writeKey?.name}
      okText={t("form.save")}
      cancelText={t("form.cancel")}
      confirmLoading={patch.isPending}
      destroyOnHidden
      onCancel={onClose}
      onOk={() => form.submit()}
    >
      {writeKey && (
        <Form
          key={writeKey.id}
          form={form}
          layout="vertical"
          requiredMark={false}
          preserve={false}
          initialValues={writeKey}
          onFinish={(v) => patch.mutate({ key: writeKey.id, origins: v.origins, rate: v.rate ?? 0 }, { onSuccess: onClose, onError: toast.refused })}
        >
          <Form.Item name="origins" label={t("sources.origins")}>
            <Select mode="tags" open={false} placeholder={t("key.anyOrigin")} tokenSeparators={[",", " "]} />
          </Form.Item>
          <Form.Item name="rate" label={t("key.rate")}>
            <InputNumber min={0} max={1_000_000} precision={0} style={{ width: 160 }} />
          </Form.Item>
        </Form>
      )}
    </Modal>
  );
}
