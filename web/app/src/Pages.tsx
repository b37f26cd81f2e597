import { lazy, Suspense } from 'react'
import { Navigate, Route, Routes } from 'react-router'
import { NotFound } from './shell/NotFound'
import { Allowed } from './shell/Allowed'
import { SignedIn } from './shell/SignedIn'

const LoginPage = lazy(() => import('./login/LoginPage'))
const Shell = lazy(() => import('./shell/Shell'))
const OrdersPage = lazy(() => import('./orders/OrdersPage'))
const OrderPage = lazy(() => import('./orders/OrderPage'))
const OrderByNumber = lazy(() => import('./orders/OrderByNumber'))
const BoardPage = lazy(() => import('./board/BoardPage'))
const SourcesPage = lazy(() => import('./sources/SourcesPage'))
const RunsPage = lazy(() => import('./sources/RunsPage'))
const RunPage = lazy(() => import('./sources/RunPage'))
const ConnectPage = lazy(() => import('./connect/ConnectPage'))
const ConnectionPage = lazy(() => import('./connect/ConnectionPage'))
const TablesPage = lazy(() => import('./connect/TablesPage'))
const MapPage = lazy(() => import('./connect/MapPage'))
const SyncPage = lazy(() => import('./connect/SyncPage'))
const AccessPage = lazy(() => import('./connect/AccessPage'))
const SetAsidePage = lazy(() => import('./sources/SetAsidePage'))
const MastersPage = lazy(() => import('./masters/MastersPage'))
const MasterPage = lazy(() => import('./masters/MasterPage'))
const TasksPage = lazy(() => import('./masters/TasksPage'))
const UsersPage = lazy(() => import('./users/UsersPage'))
const DefinitionsPage = lazy(() => import('./definitions/DefinitionsPage'))

const OrderChangesPage = lazy(() => import('./planning/OrderChangesPage'))
const EngineeringPage = lazy(() => import('./planning/EngineeringPage'))
const ReviewsPage = lazy(() => import('./reports/ReviewsPage'))
const HookEventsPage = lazy(() => import('./hooks/HookEventsPage'))
const TravelerPage = lazy(() => import('./traveler/TravelerPage'))
const RecordLineagePage = lazy(() => import('./lineage/RecordLineagePage'))
const RowLineagePage = lazy(() => import('./lineage/RowLineagePage'))
const FlowsPage = lazy(() => import('./flows/FlowsPage'))
const FlowRunsPage = lazy(() => import('./flows/FlowRunsPage'))
const FlowRunPage = lazy(() => import('./flows/FlowRunPage'))

/** Every address of the app and who may open it. */
export function Pages() {
  return (
    <Suspense>
      <Routes>
        <Route path="/login" element={<LoginPage />} />
        <Route element={<SignedIn />}>
          <Route element={<Allowed to="travelers.print" />}>
            <Route path="/work-orders/:workOrderId/traveler" element={<TravelerPage />} />
          </Route>
          <Route element={<Allowed to="sources.read" />}>
            <Route path="/sources/:code/access" element={<AccessPage />} />
          </Route>
          <Route element={<Shell />}>
            <Route index element={<Navigate to="/orders" replace />} />
            <Route element={<Allowed to="orders.read" />}>
              <Route path="/orders" element={<OrdersPage />} />
              <Route path="/orders/no/:orderNo" element={<OrderByNumber />} />
              <Route path="/orders/:lineId" element={<OrderPage />} />
              <Route path="/order-changes" element={<OrderChangesPage />} />
            </Route>
            <Route element={<Allowed to="orders.manage" />}>
              <Route path="/engineering" element={<EngineeringPage />} />
              <Route path="/reviews" element={<ReviewsPage />} />
            </Route>
            <Route element={<Allowed to="flows.read" />}>
              <Route path="/flows" element={<FlowsPage />} />
              <Route path="/flows/runs" element={<FlowRunsPage />} />
              <Route path="/flows/runs/:runId" element={<FlowRunPage />} />
            </Route>
            <Route element={<Allowed to="boards.read" />}>
              <Route path="/board" element={<BoardPage />} />
            </Route>
            <Route element={<Allowed to="sources.read" />}>
              <Route path="/sources" element={<SourcesPage />} />
              <Route path="/sources/:code/tables" element={<TablesPage />} />
              <Route path="/sources/:code/map" element={<MapPage />} />
              <Route path="/syncs/:code" element={<SyncPage />} />
              <Route path="/runs" element={<RunsPage />} />
              <Route path="/runs/:runId" element={<RunPage />} />
              <Route path="/webhooks" element={<HookEventsPage />} />
              <Route path="/set-aside" element={<SetAsidePage />} />
            </Route>
            <Route element={<Allowed to="sources.manage" />}>
              <Route path="/sources/connect" element={<ConnectPage />} />
              <Route path="/sources/:code/connection" element={<ConnectionPage />} />
            </Route>
            <Route element={<Allowed to="source_rows.read" />}>
              <Route path="/lineage/records/:entity/:recordId" element={<RecordLineagePage />} />
              <Route path="/lineage/rows/:source/:stream/*" element={<RowLineagePage />} />
            </Route>
            <Route element={<Allowed to="masters.read" />}>
              <Route path="/masters" element={<Navigate to="/masters/customer" replace />} />
              <Route path="/masters/:entity" element={<MastersPage />} />
              <Route path="/masters/:entity/:recordId" element={<MasterPage />} />
              <Route path="/tasks" element={<TasksPage />} />
            </Route>
            <Route element={<Allowed to="users.manage" />}>
              <Route path="/users" element={<UsersPage />} />
            </Route>
            <Route element={<Allowed to="definitions.read" />}>
              <Route path="/definitions" element={<DefinitionsPage />} />
            </Route>
            <Route path="*" element={<NotFound />} />
          </Route>
        </Route>
      </Routes>
    </Suspense>
  )
}
