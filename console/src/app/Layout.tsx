import { Link, Outlet } from "@tanstack/react-router";
import { LogOut, Menu, Moon, Sun } from "lucide-react";
import { useState, useSyncExternalStore } from "react";

import { NotificationBell } from "@/notifications/NotificationBell";
import { currentTokens, sessionSnapshot, signOut, subscribe } from "@/session/session";
import { SignInPage } from "@/session/SignInPage";
import { Button } from "@/ui/Button";
import { Toasts } from "@/ui/toast";

import { chooseTheme, currentTheme } from "./theme";

/** The menu, in the order in which the work goes. */
const GROUPS = [
  {
    name: "Write",
    pages: [
      { to: "/batches", label: "Batches" },
      { to: "/coverage", label: "Coverage" },
      { to: "/scaffolding", label: "Scaffolding" },
    ],
  },
  {
    name: "Review",
    pages: [
      { to: "/conversations", label: "Conversations" },
      { to: "/generation-log", label: "Claude calls" },
    ],
  },
  {
    name: "Train",
    pages: [
      { to: "/training-files", label: "Training files" },
      { to: "/datasets", label: "Datasets" },
      { to: "/training/jobs", label: "Training" },
      { to: "/models", label: "Models" },
    ],
  },
  { name: "Pay", pages: [{ to: "/costs", label: "Costs" }] },
] as const;

/** The frame of every page; without a session, the sign-in page in its place. */
export function Layout() {
  const signedIn = useSyncExternalStore(subscribe, sessionSnapshot) !== null;
  return (
    <>
      {signedIn ? <Frame /> : <SignInPage />}
      <Toasts />
    </>
  );
}

function Frame() {
  const [menuOpen, setMenuOpen] = useState(false);
  return (
    <div className="min-h-screen lg:grid lg:grid-cols-[13rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:z-10 focus:bg-surface focus:p-3"
      >
        Skip to content
      </a>
      <header className="border-line bg-surface max-lg:border-b lg:sticky lg:top-0 lg:flex lg:h-screen lg:flex-col lg:overflow-y-auto lg:border-r">
        <div className="flex items-center gap-1 px-4 py-2 lg:py-4">
          <Link to="/batches" className="mr-auto flex items-center gap-2 font-semibold">
            <img src="/icon.svg" alt="" className="size-6" />
            Bright Run
          </Link>
          <NotificationBell />
          <Button
            kind="quiet"
            className="lg:hidden"
            aria-expanded={menuOpen}
            aria-label="Menu"
            onClick={() => setMenuOpen(!menuOpen)}
          >
            <Menu className="size-5" aria-hidden />
          </Button>
        </div>
        <div
          className={`${menuOpen ? "flex" : "hidden"} flex-1 flex-col gap-4 px-2 pb-3 lg:flex lg:justify-between`}
        >
          <Navigation onChoose={() => setMenuOpen(false)} />
          <Account />
        </div>
      </header>
      <main id="content" className="min-w-0">
        <Outlet />
      </main>
    </div>
  );
}

const Navigation = ({ onChoose }: { onChoose: () => void }) => (
  <nav aria-label="Main" className="flex flex-col gap-3">
    {GROUPS.map((group) => (
      <div key={group.name}>
        <p className="px-3 pb-1 text-xs font-medium text-muted">{group.name}</p>
        <div className="flex flex-col gap-0.5">
          {group.pages.map((page) => (
            <Link
              key={page.to}
              to={page.to}
              onClick={onChoose}
              className="rounded-md px-3 py-1.5 text-sm hover:bg-raised aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent"
            >
              {page.label}
            </Link>
          ))}
        </div>
      </div>
    ))}
  </nav>
);

const Account = () => (
  <div className="flex items-center gap-1">
    <span className="mr-auto truncate px-3 text-xs text-muted" title={currentTokens()?.username}>
      {currentTokens()?.username}
    </span>
    <ThemeButton />
    <Button kind="quiet" onClick={() => void signOut()} aria-label="Sign out" title="Sign out">
      <LogOut className="size-4" aria-hidden />
    </Button>
  </div>
);

function ThemeButton() {
  const [theme, setTheme] = useState(currentTheme);
  const other = theme === "dark" ? "light" : "dark";
  const Icon = theme === "dark" ? Sun : Moon;
  return (
    <Button
      kind="quiet"
      aria-label={`Use the ${other} theme`}
      title={`Use the ${other} theme`}
      onClick={() => {
        chooseTheme(other);
        setTheme(other);
      }}
    >
      <Icon className="size-4" aria-hidden />
    </Button>
  );
}
