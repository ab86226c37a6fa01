import { lazy, type ComponentType } from "react";
import { createBrowserRouter } from "react-router";
import { RouteError } from "./shell/ErrorBoundary";
import { Layout } from "./shell/Layout";
import { NotFound } from "./shell/NotFound";

type Module = { default: ComponentType };
const page = (path: string, load: () => Promise<Module>) => {
  const Lazy = lazy(load);
  return { path, element: <Lazy />, errorElement: <RouteError /> };
};

export const router = createBrowserRouter(
  [
    {
      path: "/",
      element: <Layout />,
      errorElement: <RouteError />,
      children: [
        page("", () => import("./pages/overview")),
        page("live", () => import("./pages/live")),
        page("persons", () => import("./pages/persons")),
        page("persons/:id", () => import("./pages/person")),
        page("entities", () => import("./pages/entities")),
        page("entities/:type/:id", () => import("./pages/entity")),
        page("segments", () => import("./pages/segments")),
        page("segments/:id", () => import("./pages/segment")),
        page("segments/:id/edit", () => import("./pages/segment-builder")),
        page("funnel", () => import("./pages/funnel")),
        page("journeys", () => import("./pages/journeys")),
        page("journeys/:id", () => import("./pages/journey")),
        page("channels", () => import("./pages/channels")),
        page("sends/unknown", () => import("./pages/unknown-sends")),
        page("suppressions", () => import("./pages/suppressions")),
        page("settings", () => import("./pages/settings")),
        page("sources", () => import("./pages/sources")),
        page("feeds", () => import("./pages/feeds")),
        page("imports", () => import("./pages/imports")),
        page("quality", () => import("./pages/quality")),
        page("quarantine", () => import("./pages/quarantine")),
        page("plan", () => import("./pages/plan")),
        page("catalogue", () => import("./pages/catalogue")),
        page("jobs", () => import("./pages/jobs")),
        page("users", () => import("./pages/users")),
        page("keys", () => import("./pages/keys")),
        page("audit", () => import("./pages/audit")),
        { path: "*", element: <NotFound /> },
      ],
    },
  ],
  { basename: "/console" },
);
