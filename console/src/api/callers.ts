import { useQuery } from "@tanstack/react-query";
import { useWords } from "../i18n";
import { api, unwrap } from "./client";
import { useMay } from "./session";

/** Everybody who can act, `user:3`, `token:x` or `local`, with a name; for those who may see them. */
export function useCallers(): { id: string; name: string }[] {
  const { t } = useWords();
  const may = useMay();
  const stale = { staleTime: 60_000 };
  const users = useQuery({
    queryKey: ["callers", "users"],
    queryFn: () => unwrap(api.GET("/api/users")),
    enabled: may("user.manage"),
    ...stale,
  });
  const tokens = useQuery({
    queryKey: ["callers", "keys"],
    queryFn: () => unwrap(api.GET("/api/keys")),
    enabled: may("system.manage"),
    ...stale,
  });
  return [
    ...(users.data?.items ?? []).map((user) => ({ id: `user:${user.id}`, name: user.username })),
    ...(tokens.data?.items ?? []).map((token) => ({ id: `token:${token.id}`, name: t("caller.token", { name: token.name }) })),
    { id: "anonymous", name: t("caller.anonymous") },
    { id: "local", name: t("caller.local") },
  ];
}

/** Turns `user:3` into a name, where it is known. */
export function useCallerName() {
  const callers = useCallers();
  return (id: string) => callers.find((one) => one.id === id)?.name ?? id;
}
