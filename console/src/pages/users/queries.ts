import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, tagged, unwrap } from "../../api/client";
import type { Schemas } from "../../api/types";

export type User = Schemas["UserOut"];
export type Draft = Pick<User, "roles" | "dims">;

export const fetchUsers = () => unwrap(api.GET("/api/users"));

function useChange<V, R>(change: (value: V) => Promise<R>) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => cache.invalidateQueries({ queryKey: ["users"] }) });
}

export const useCreateUser = () =>
  useChange((body: Draft & { username: string }) => unwrap(api.POST("/api/users", { body })));

export const usePatchUser = () =>
  useChange(async ({ id, ...body }: Partial<Draft> & { id: number; disabled?: boolean; reset_password?: boolean }) => {
    const read = await tagged(api.GET("/api/users/{id}", { params: { path: { id } } }));
    return unwrap(
      api.PATCH("/api/users/{id}", { params: { path: { id }, header: { "if-match": read.etag } }, body }),
    );
  });

export const useDeleteUser = () =>
  useChange((id: number) => unwrap(api.DELETE("/api/users/{id}", { params: { path: { id } } })));
