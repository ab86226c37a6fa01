import { Alert, Flex, Input, Modal, Typography } from "antd";
import { useId, useState, type ReactNode } from "react";
import { useWords } from "../i18n";
import { useProblemText } from "./ErrorState";

type Props = {
  open: boolean;
  title: string;
  /** What the user has to type. */
  word: string;
  consequence: ReactNode;
  danger?: boolean;
  busy?: boolean;
  problem?: unknown;
  okText: string;
  ready?: boolean;
  children?: ReactNode;
  onConfirm: () => void;
  onCancel: () => void;
};

/** For what cannot be taken back: says what happens and asks for a typed word. */
export function ConfirmTyped(props: Props) {
  const { t } = useWords();
  const text = useProblemText();
  const id = useId();
  const [typed, setTyped] = useState("");
  const ready = typed.trim() === props.word && props.ready !== false;
  return (
    <Modal
      open={props.open}
      title={props.title}
      okText={props.okText}
      okButtonProps={{ danger: props.danger, disabled: !ready, loading: props.busy }}
      cancelText={t("form.cancel")}
      destroyOnHidden
      afterClose={() => setTyped("")}
      onOk={props.onConfirm}
      onCancel={props.onCancel}
    >
      <Flex vertical gap={14}>
        <Alert type={props.danger ? "error" : "warning"} showIcon title={props.consequence} />
        {props.children}
        <div>
          <label htmlFor={id}>
            {t("confirm.type")} <Typography.Text code>{props.word}</Typography.Text>
          </label>
          <Input id={id} value={typed} onChange={(e) => setTyped(e.target.value)} autoComplete="off" style={{ marginTop: 6 }} />
        </div>
        {props.problem != null && <Alert type="error" showIcon title={text(props.problem)} role="alert" />}
      </Flex>
    </Modal>
  );
}
