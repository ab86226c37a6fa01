import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { App, ConfigProvider } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import type { ReactNode } from "react";
import { Problem } from "../api/client";
import { useWords } from "../i18n";
import { ThemeProvider, tokens, useTheme } from "./theme";

function retry(failures: number, problem: Error): boolean {
  const passing = problem instanceof Problem && (problem.status === 0 || problem.status >= 502);
  return passing && failures < 2;
}

export function makeQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (problem, query) => {
        const ended = problem instanceof Problem && problem.status === 401;
        if (ended && query.queryKey[0] !== "session") client.setQueryData(["session"], null);
      },
    }),
    defaultOptions: {
      queries: { retry, staleTime: 10_000, refetchOnWindowFocus: false },
      mutations: { retry: false },
    },
  });
  return client;
}

const client = makeQueryClient();

function Themed({ children }: { children: ReactNode }) {
  const { dark } = useTheme();
  const { language } = useWords();
  return (
    <ConfigProvider
      theme={tokens(dark)}
      locale={language === "en" ? enUS : zhCN}
      button={{ autoInsertSpace: false }}
    >
      <App>{children}</App>
    </ConfigProvider>
  );
}

/** Data, words, theme and toasts for everything below. */
export function Providers({ children, queries = client }: { children: ReactNode; queries?: QueryClient }) {
  return (
    <QueryClientProvider client={queries}>
      <ThemeProvider>
        <Themed>{children}</Themed>
      </ThemeProvider>
    </QueryClientProvider>
  );
}
