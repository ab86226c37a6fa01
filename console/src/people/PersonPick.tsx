import { useQuery } from "@tanstack/react-query";
import { Flex, Input, Radio, Spin, Typography } from "antd";
import { useState } from "react";
import { api, unwrap } from "../api/client";
import { useWords } from "../i18n";
import { useProblemText } from "../ui/ErrorState";
import { short } from "../ui/format";

type Props = { value: string; onChange: (id: string) => void; except?: string };

/** Find a person by a whole identifier or a name, and choose one of those found. */
export function PersonPick({ value, onChange, except }: Props) {
  const { t } = useWords();
  const text = useProblemText();
  const [q, setQ] = useState("");
  const query = useQuery({
    queryKey: ["persons", "pick", q],
    queryFn: () => unwrap(api.GET("/api/persons", { params: { query: { q } } })),
    enabled: q !== "",
  });
  const found = (query.data?.items ?? []).filter((p) => p.id !== except);
  return (
    <Flex vertical gap={8}>
      <Input.Search
        aria-label={t("pick.label")}
        placeholder={t("persons.placeholder")}
        maxLength={200}
        enterButton={t("persons.search")}
        onSearch={(next) => {
          setQ(next.trim());
          onChange("");
        }}
      />
      {query.isFetching && <Spin size="small" />}
      {query.isError && <Typography.Text type="danger">{text(query.error)}</Typography.Text>}
      {query.isSuccess && found.length === 0 && <Typography.Text type="secondary">{t("persons.none")}</Typography.Text>}
      <Radio.Group value={value} onChange={(e) => onChange(String(e.target.value))} style={{ display: "grid", gap: 4, maxHeight: 200, overflow: "auto" }}>
        {found.map((p) => (
          <Radio key={p.id} value={p.id}>
            {p.name || short(p.display) || t("person.anonymous")} <span className="cl-mono">#{p.number}</span> {p.mobile} {p.city}
          </Radio>
        ))}
      </Radio.Group>
    </Flex>
  );
}
