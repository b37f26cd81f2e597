import { Outlet } from 'react-router'
import { useCan } from '../api/session'
import { Forbidden } from './Forbidden'

/** Shows the page, or says who may. The server decides again on every request. */
export function Allowed({ to }: { to: string }) {
  return useCan()(to) ? <Outlet /> : <Forbidden capability={to} />
}
