import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Problem, api, setCsrf, unwrap } from "./client";
import { setZone } from "../ui/format";
import type { Permission, Session } from "./types";

const KEY = ["session"];

async function fetchSession(): Promise<Session | null> {
  try {
    const session = await unwrap(api.GET("/api/session"));
    setCsrf(session.csrf);
    setZone(session.tenant.zone);
    return session;
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 401) return null;
    throw problem;
  }
}

/** Who is signed in; `data` is null for nobody. */
export function useSession() {
  return useQuery({ queryKey: KEY, queryFn: fetchSession, staleTime: 5 * 60_000, retry: 1 });
}

/** Whether the signed-in user holds a permission. */
export function useMay() {
  const permissions = useSession().data?.user.permissions ?? [];
  return (permission: Permission) => permissions.includes(permission);
}

/** Nothing of one user may be shown to the next. */
function forget(cache: QueryClient) {
  cache.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
}

export function useSignIn() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { username: string; password: string }) =>
      unwrap(api.POST("/api/session", { body })),
    onSuccess: (session) => {
      setCsrf(session.csrf);
      setZone(session.tenant.zone);
      forget(cache);
      cache.setQueryData(KEY, session);
    },
  });
}

export function useSignOut() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.DELETE("/api/session")),
    onSettled: () => {
      setCsrf("");
      forget(cache);
      cache.setQueryData(KEY, null);
    },
  });
}

export function useChangePassword() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { old: string; new: string }) =>
      unwrap(api.POST("/api/session/password", { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: KEY }),
  });
}
