import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, tagged, unwrap } from "../../api/client";
import type { Page } from "../../api/types";

export type User = {
  id: number;
  username: string;
  roles: string[];
  dims: Record<string, string[]>;
  disabled: boolean;
  must_change: boolean;
  created_at: string;
  last_login_at: string | null;
};
export type Draft = { roles: string[]; dims: Record<string, string[]> };
type Made = { user: User; password: string | null };

export const fetchUsers = (cursor?: string) =>
  unwrap<Page<User>>(api.GET("/api/users", { params: { query: { cursor } } }));

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => cache.invalidateQueries({ queryKey: ["users"] }) });
}

export const useCreateUser = () =>
  useChange((body: Draft & { username: string }) => unwrap<Made>(api.POST("/api/users", { body })));

export const usePatchUser = () =>
  useChange(async ({ id, ...body }: Partial<Draft> & { id: number; disabled?: boolean; reset_password?: boolean }) => {
    const read = await tagged<User>(api.GET("/api/users/{id}", { params: { path: { id } } }));
    return unwrap<Made>(
      api.PATCH("/api/users/{id}", { params: { path: { id } }, headers: { "If-Match": read.etag }, body }),
    );
  });

export const useDeleteUser = () =>
  useChange((id: number) => unwrap(api.DELETE("/api/users/{id}", { params: { path: { id } } })));
