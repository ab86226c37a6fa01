import { App } from "antd";
import { useProblemText } from "./ErrorState";

/** Short-lived messages: success by name, refusals in the user's words. */
export function useToast() {
  const { message } = App.useApp();
  const text = useProblemText();
  return {
    done: (what: string) => void message.success(what),
    refused: (problem: unknown) => void message.error(text(problem), 6),
    message,
  };
}
