import { useRouteError } from "react-router";
import { ErrorState } from "../ui/ErrorState";

/** Shown in place of a page that failed to draw or to load. */
export function RouteError() {
  const problem = useRouteError();
  return <ErrorState problem={problem} onRetry={() => window.location.reload()} />;
}
