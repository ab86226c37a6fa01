import { DeleteOutlined, DownloadOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { ConfirmTyped } from "../../ui/ConfirmTyped";
import { useToast } from "../../ui/toast";
import { Merge } from "./Merge";
import { downloadExport, useErase, type Person } from "./queries";

/** Export and erasure: what the person may ask for. */
export function Actions({ person }: { person: Person }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const go = useNavigate();
  const erase = useErase(person.id);
  const [erasing, setErasing] = useState(false);
  return (
    <>
      {may("person.write") && <Merge person={person} />}
      {may("person.export") && (
        <Button icon={<DownloadOutlined />} onClick={() => void downloadExport(person.id).catch(toast.refused)}>
          {t("person.export")}
        </Button>
      )}
      {may("person.erase") && (
        <Button danger icon={<DeleteOutlined />} onClick={() => setErasing(true)}>{t("erase.open")}</Button>
      )}
      <ConfirmTyped
        open={erasing}
        danger
        title={t("erase.title")}
        word={`#${person.number}`}
        consequence={t("erase.consequence", { n: person.identifiers.length })}
        okText={t("erase.submit")}
        busy={erase.isPending}
        problem={erase.error}
        onCancel={() => setErasing(false)}
        onConfirm={() =>
          erase.mutate(undefined, {
            onSuccess: () => {
              toast.done(t("erase.done"));
              void go("/jobs");
            },
          })
        }
      />
    </>
  );
}
