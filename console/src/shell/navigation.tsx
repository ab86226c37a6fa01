import {
  ApartmentOutlined, ApiOutlined, AuditOutlined, BranchesOutlined, CarOutlined, CloudUploadOutlined,
  DashboardOutlined, DatabaseOutlined, FilterOutlined, FunnelPlotOutlined, IssuesCloseOutlined, KeyOutlined,
  NotificationOutlined, ProfileOutlined, QuestionCircleOutlined, SafetyCertificateOutlined, ScheduleOutlined, SettingOutlined, StopOutlined, TeamOutlined, ThunderboltOutlined, UserOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import type { Permission } from "../api/types";
import type { Key } from "../i18n";

export type Place = { path: string; label: Key; icon: ReactNode; needs: Permission; hotkey?: string };
export type Area = { label: Key; places: Place[] };

/** The sider, the palette and the shortcuts all read this one list. */
export const AREAS: Area[] = [
  {
    label: "nav.overview",
    places: [
      { path: "/", label: "nav.dashboard", icon: <DashboardOutlined />, needs: "analytics.read", hotkey: "o" },
      { path: "/live", label: "nav.live", icon: <ThunderboltOutlined />, needs: "event.read", hotkey: "l" },
    ],
  },
  {
    label: "nav.people",
    places: [
      { path: "/persons", label: "nav.persons", icon: <UserOutlined />, needs: "person.read", hotkey: "p" },
      { path: "/entities", label: "nav.entities", icon: <CarOutlined />, needs: "person.read", hotkey: "e" },
    ],
  },
  {
    label: "nav.segmentation",
    places: [
      { path: "/segments", label: "nav.segments", icon: <FilterOutlined />, needs: "segment.read", hotkey: "s" },
    ],
  },
  {
    label: "nav.analysis",
    places: [
      { path: "/funnel", label: "nav.funnel", icon: <FunnelPlotOutlined />, needs: "analytics.read", hotkey: "f" },
    ],
  },
  {
    label: "nav.engagement",
    places: [
      { path: "/journeys", label: "nav.journeys", icon: <BranchesOutlined />, needs: "journey.read", hotkey: "j" },
      { path: "/channels", label: "nav.channels", icon: <NotificationOutlined />, needs: "journey.read" },
      { path: "/sends/unknown", label: "nav.unknownSends", icon: <QuestionCircleOutlined />, needs: "journey.read" },
      { path: "/suppressions", label: "nav.suppressions", icon: <StopOutlined />, needs: "journey.read" },
    ],
  },
  {
    label: "nav.data",
    places: [
      { path: "/sources", label: "nav.sources", icon: <ApiOutlined />, needs: "source.read", hotkey: "d" },
      { path: "/feeds", label: "nav.feeds", icon: <DatabaseOutlined />, needs: "source.read", hotkey: "r" },
      { path: "/imports", label: "nav.imports", icon: <CloudUploadOutlined />, needs: "job.read", hotkey: "i" },
      { path: "/quality", label: "nav.quality", icon: <SafetyCertificateOutlined />, needs: "source.read" },
      { path: "/quarantine", label: "nav.quarantine", icon: <IssuesCloseOutlined />, needs: "source.read", hotkey: "q" },
      { path: "/plan", label: "nav.plan", icon: <ProfileOutlined />, needs: "source.read" },
      { path: "/catalogue", label: "nav.catalogue", icon: <ApartmentOutlined />, needs: "segment.read" },
    ],
  },
  {
    label: "nav.system",
    places: [
      { path: "/jobs", label: "nav.jobs", icon: <ScheduleOutlined />, needs: "job.read" },
      { path: "/users", label: "nav.users", icon: <TeamOutlined />, needs: "user.manage" },
      { path: "/keys", label: "nav.keys", icon: <KeyOutlined />, needs: "system.manage" },
      { path: "/settings", label: "nav.settings", icon: <SettingOutlined />, needs: "system.manage" },
      { path: "/audit", label: "nav.audit", icon: <AuditOutlined />, needs: "audit.read" },
    ],
  },
];

/** The areas with only the places these permissions open. */
export function visible(may: (permission: Permission) => boolean): Area[] {
  return AREAS.map((area) => ({ ...area, places: area.places.filter((p) => may(p.needs)) })).filter(
    (area) => area.places.length > 0,
  );
}
