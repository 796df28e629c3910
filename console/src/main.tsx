import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { connect } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { router } from "@/app/router";
import { startTheme } from "@/app/theme";
import { readConfig } from "@/session/config";
import { startSession, subscribe } from "@/session/session";
import { Failure } from "@/ui/states";

import "./styles.css";

const MOST_RETRIES = 2;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the server refused stays refused; an unreachable or failing server may come back.
      retry: (failures, error) =>
        failures < MOST_RETRIES &&
        (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500),
    },
  },
});

async function start(): Promise<void> {
  startTheme();
  const page = createRoot(document.getElementById("root") as HTMLElement);
  try {
    const config = await readConfig();
    connect(config.apiUrl);
    await startSession(config);
  } catch (error) {
    page.render(<Failure error={error as Error} retry={() => window.location.reload()} />);
    return;
  }
  // Another user must not see what the last one loaded.
  subscribe(() => {
    if (sessionStorage.length === 0) queries.clear();
  });
  page.render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}

void start();
