import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "./schema.gen";

/** A refusal of the server (RFC 9457), or of the network (`status` 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly path?: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
  }

  static of(status: number, body: unknown): Problem {
    const said = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    return new Problem(
      status,
      String(said.code ?? `http_${status}`),
      String(said.message ?? said.title ?? ""),
      said.path as string | undefined,
      said.details as Record<string, unknown> | undefined,
    );
  }
}

let csrf = "";

export function setCsrf(token: string) {
  csrf = token;
}

const guard: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET" && csrf) request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: window.location.origin });
api.use(guard);

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The body of a successful answer.
 *
 * Throws `Problem` for a refusal, with code `network` where no answer came.
 */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Problem(0, "network", "");
  }
  if (!answer.response.ok) throw Problem.of(answer.response.status, answer.error);
  return answer.data as T;
}

/** Like `unwrap`, with the ETag that a change has to bring back. */
export async function tagged<T>(call: Promise<Answer<T>>): Promise<T & { etag: string }> {
  let etag = "";
  const data = await unwrap<T>(
    call.then((answer) => {
      etag = answer.response.headers.get("ETag") ?? "";
      return answer;
    }),
  );
  return { ...data, etag };
}
