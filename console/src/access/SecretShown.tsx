import { Alert, Button, Flex, Modal } from "antd";
import { useWords } from "../i18n";
import { Code } from "../ui/Code";

/** A password or token that the server shows once. */
export function SecretShown({ secret, title, onClose }: { secret: string | null; title: string; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Modal
      open={secret !== null}
      title={title}
      mask={{ closable: false }}
      destroyOnHidden
      onCancel={onClose}
      footer={<Button type="primary" onClick={onClose}>{t("key.kept")}</Button>}
    >
      <Flex vertical gap={12}>
        <Alert type="warning" showIcon title={t("secret.once")} />
        <Code text={secret ?? ""} label={title} />
      </Flex>
    </Modal>
  );
}
