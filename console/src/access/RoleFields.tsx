import { Form, Select } from "antd";
import { useCatalogue } from "../api/catalogue";
import { useWords, type Key } from "../i18n";

export const ROLES = ["admin", "analyst", "operator", "viewer", "dealer_manager", "dealer_advisor"] as const;

/** Roles, and for dealer roles the keys they are limited to. */
export function RoleFields() {
  const { t, title } = useWords();
  const roles = Form.useWatch<string[] | undefined>("roles") ?? [];
  const types = useCatalogue().data?.entity_types ?? [];
  const limited = roles.some((role) => role.startsWith("dealer"));
  const dimensions = types.filter((e) => e.scope_dimension);
  return (
    <>
      <Form.Item name="roles" label={t("users.roles")} rules={[{ required: true, message: t("form.required") }]}>
        <Select mode="multiple" options={ROLES.map((r) => ({ value: r, label: t(`role.${r}` as Key) }))} />
      </Form.Item>
      {limited &&
        dimensions.map((e) => (
          <Form.Item key={e.name} name={["dims", e.name]} label={t("users.limit", { what: title(e.title, e.name) })} extra={t("users.limitHint")}>
            <Select mode="tags" open={false} tokenSeparators={[",", " "]} placeholder="D001" />
          </Form.Item>
        ))}
    </>
  );
}

/** The dimensions that hold at least one key. */
export const filledDims = (dims: Record<string, string[] | undefined> | undefined): Record<string, string[]> =>
  Object.fromEntries(Object.entries(dims ?? {}).flatMap(([name, keys]) => (keys?.length ? [[name, keys]] : [])));
