import { Alert, Button, Flex, Modal, Tabs } from "antd";
import { Link } from "react-router";
import { useWords } from "../../i18n";
import { Code } from "../../ui/Code";
import { snippets } from "./snippets";

/** A new write key, shown this once, with snippets that already hold it. */
export function KeyShown({ writeKey, onClose }: { writeKey: string | null; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Modal
      open={writeKey !== null}
      width={760}
      title={t("key.title")}
      mask={{ closable: false }}
      destroyOnHidden
      onCancel={onClose}
      footer={
        <Flex gap={8} justify="flex-end">
          <Link to="/live" onClick={onClose}><Button>{t("first.liveGo")}</Button></Link>
          <Button type="primary" onClick={onClose}>{t("key.kept")}</Button>
        </Flex>
      }
    >
      {writeKey !== null && (
        <Flex vertical gap={14}>
          <Alert type="warning" showIcon title={t("key.once")} />
          <Code text={writeKey} label={t("key.title")} />
          <Tabs
            items={snippets(window.location.origin, writeKey).map((one) => ({
              key: one.key,
              label: one.label,
              children: <Code text={one.text} label={one.label} />,
            }))}
          />
        </Flex>
      )}
    </Modal>
  );
}
