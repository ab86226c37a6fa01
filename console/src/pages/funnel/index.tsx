import { DownloadOutlined, FolderOpenOutlined, SaveOutlined } from "@ant-design/icons";
import { App, Button, Card, Dropdown, Flex, Form, Input, Modal, Skeleton, Spin } from "antd";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useCatalogue } from "../../api/catalogue";
import { useMay } from "../../api/session";
import { useWords } from "../../i18n";
import { SqlButton } from "../../ui/Code";
import { saveCsv } from "../../ui/csv";
import { EmptyState } from "../../ui/EmptyState";
import { ErrorState } from "../../ui/ErrorState";
import { Loaded } from "../../ui/Loaded";
import { Page } from "../../ui/Page";
import { useToast } from "../../ui/toast";
import { Builder } from "./Builder";
import { useDeleteFunnel, useFunnel, useSaveFunnel, useSaved, type Params, type Result } from "./queries";
import { Results } from "./Results";
import { askable, read, whole, write } from "./state";

function SavedMenu({ onOpen }: { onOpen: (params: Params) => void }) {
  const { t } = useWords();
  const may = useMay();
  const toast = useToast();
  const { modal } = App.useApp();
  const saved = useSaved();
  const remove = useDeleteFunnel();
  const items = saved.data?.items ?? [];
  const ask = (id: string, name: string) =>
    modal.confirm({
      title: t("funnel.removeAsk", { name }),
      okText: t("form.delete"),
      okButtonProps: { danger: true },
      cancelText: t("form.cancel"),
      onOk: () => remove.mutateAsync(id).catch(toast.refused),
    });
  return (
    <Dropdown
      trigger={["click"]}
      disabled={items.length === 0}
      menu={{
        items: items.map((one) => ({
          key: one.id,
          label: one.name,
          children: may("segment.write")
            ? [
                { key: `open:${one.id}`, label: t("form.open") },
                { key: `drop:${one.id}`, label: t("form.delete"), danger: true },
              ]
            : undefined,
        })),
        onClick: ({ key }) => {
          const one = items.find((s) => key.endsWith(s.id));
          if (!one) return;
          if (key.startsWith("drop:")) ask(one.id, one.name);
          else onOpen(whole(one.params as Partial<Params>));
        },
      }}
    >
      <Button icon={<FolderOpenOutlined />}>{t("funnel.saved")} ({items.length})</Button>
    </Dropdown>
  );
}

function SaveDialog({ params, open, onClose }: { params: Params; open: boolean; onClose: () => void }) {
  const { t } = useWords();
  const toast = useToast();
  const save = useSaveFunnel();
  return (
    <Modal open={open} title={t("funnel.save")} footer={null} onCancel={onClose} destroyOnHidden>
      <Form
        layout="vertical"
        requiredMark={false}
        onFinish={({ name }: { name: string }) =>
          save.mutate({ name, params }, {
            onSuccess: () => {
              toast.done(t("funnel.savedDone"));
              onClose();
            },
            onError: toast.refused,
          })
        }
      >
        <Form.Item name="name" label={t("segments.name")} rules={[{ required: true, whitespace: true, message: t("form.required") }]}>
          <Input autoFocus maxLength={100} />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={save.isPending}>{t("form.save")}</Button>
      </Form>
    </Modal>
  );
}

function useExport() {
  const { t, title } = useWords();
  return (result: Result) => {
    const parts = result.breakdown.length > 0 ? result.breakdown : [{ value: "", other: false, steps: result.steps }];
    const head = [t("funnel.value"), t("funnel.stepTitle"), t("funnel.people"), t("funnel.conversion"), t("funnel.fromPrevious"), t("funnel.median")];
    const rows = parts.flatMap((part) =>
      part.steps.map((s) => [part.other ? t("funnel.other") : (part.value ?? ""), title(s.title, s.event), s.count ?? "<10", s.conversion ?? "", s.from_previous ?? "", s.median_ms ?? ""]),
    );
    saveCsv("funnel.csv", [head, ...rows]);
  };
}

/** Ordered funnel: who went from step to step within the window. */
export default function Funnel() {
  const { t } = useWords();
  const may = useMay();
  const catalogue = useCatalogue();
  const exportCsv = useExport();
  const [search, setSearch] = useSearchParams();
  const [saving, setSaving] = useState(false);
  const params = read(search);
  const ready = askable(params);
  const result = useFunnel(params, ready);
  const change = (next: Params) => setSearch(write(next), { replace: true });
  return (
    <Page
      title={t("nav.funnel")}
      hint={t("funnel.hint")}
      extra={
        <>
          <SavedMenu onOpen={change} />
          {may("segment.write") && <Button icon={<SaveOutlined />} disabled={!ready} onClick={() => setSaving(true)}>{t("form.save")}</Button>}
          <SqlButton sql={result.data?.sql} disabled={!ready} />
          <Button icon={<DownloadOutlined />} disabled={!ready || !result.data} onClick={() => result.data && exportCsv(result.data)}>CSV</Button>
        </>
      }
    >
      <Loaded query={catalogue} framed rows={10}>
        {(known) => (
          <div className="cl-grid cl-side">
            <Builder params={params} catalogue={known} onChange={change} />
            <div style={{ minWidth: 0 }}>
              {!ready && <Card><EmptyState title={t("funnel.empty")} hint={t("funnel.emptyHint")} /></Card>}
              {ready && result.isPending && <Card><Skeleton active paragraph={{ rows: 10 }} /></Card>}
              {ready && result.isError && <Card><ErrorState problem={result.error} onRetry={() => void result.refetch()} /></Card>}
              {ready && !result.isError && result.data && (
                <Spin spinning={result.isFetching}>
                  <Flex vertical gap={16}><Results params={params} result={result.data} /></Flex>
                </Spin>
              )}
            </div>
          </div>
        )}
      </Loaded>
      <SaveDialog params={params} open={saving} onClose={() => setSaving(false)} />
    </Page>
  );
}
