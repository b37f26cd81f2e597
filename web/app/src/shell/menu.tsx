import type { ReactNode } from 'react'
import { useCan } from '../api/session'
import type { Key } from '../i18n'

export type MenuEntry = { to: string; label: Key; needs: string; icon: ReactNode }

function Icon({ d }: { d: string }) {
  return (
    <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" fill="none">
      <path d={d} stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  )
}

const ENTRIES: MenuEntry[] = [
  { to: '/orders', label: 'menu.orders', needs: 'orders.read', icon: <Icon d="M7.5 13a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Zm4-1.5L16 16" /> },
  { to: '/board', label: 'menu.board', needs: 'boards.read', icon: <Icon d="M2.5 3.5h5v5h-5zM10.5 3.5h5v3h-5zM10.5 9.5h5v5h-5zM2.5 11.5h5v3h-5z" /> },
  { to: '/order-changes', label: 'menu.order_changes', needs: 'orders.read', icon: <Icon d="M3 6h9.5M10 3l3 3-3 3M15 12H5.5M8 9l-3 3 3 3" /> },
  { to: '/engineering', label: 'menu.engineering', needs: 'orders.manage', icon: <Icon d="M3 15 9.5 3 15 15M5.5 11h7M9 6.5v8.5" /> },
  { to: '/reviews', label: 'menu.reviews', needs: 'orders.manage', icon: <Icon d="M5 3.5H3.5v12h11v-12H13M6 2.5h6v3H6zM6 10.5l2 2 4-4" /> },
  { to: '/tasks', label: 'menu.tasks', needs: 'masters.read', icon: <Icon d="M3 5l1.5 1.5L7 4M3 12l1.5 1.5L7 11M10 5.5h5.5M10 12.5h5.5" /> },
  { to: '/masters', label: 'menu.masters', needs: 'masters.read', icon: <Icon d="M9 2.5 15 6v6l-6 3.5L3 12V6zM3 6l6 3.5L15 6M9 9.5v6" /> },
  { to: '/flows', label: 'menu.flows', needs: 'flows.read', icon: <Icon d="M2.5 2.5h4.5v4.5H2.5zM11 11h4.5v4.5H11zM7 4.75h4.25a2 2 0 0 1 2 2V11M2.5 13.25h6M6.5 11.25l2 2-2 2" /> },
  { to: '/sources', label: 'menu.sources', needs: 'sources.read', icon: <Icon d="M3 4.5C3 3.4 5.7 2.5 9 2.5s6 .9 6 2-2.7 2-6 2-6-.9-6-2Zm0 0v9c0 1.1 2.7 2 6 2s6-.9 6-2v-9M3 9c0 1.1 2.7 2 6 2s6-.9 6-2" /> },
  { to: '/runs', label: 'menu.runs', needs: 'sources.read', icon: <Icon d="M15 9a6 6 0 1 1-1.8-4.2M15 2.5v3h-3M9 5.5V9l2.5 1.5" /> },
  { to: '/webhooks', label: 'menu.hooks', needs: 'sources.read', icon: <Icon d="M2.5 9h8M7.5 5.5 11 9l-3.5 3.5M11 3.5h4.5v11H11" /> },
  { to: '/set-aside', label: 'menu.set_aside', needs: 'sources.read', icon: <Icon d="M2.5 10.5 5 3h8l2.5 7.5v4.5h-13zM2.5 10.5H6l1 2h4l1-2h3.5" /> },
  { to: '/definitions', label: 'menu.definitions', needs: 'definitions.read', icon: <Icon d="M4 2.5h7l3 3v10H4zM11 2.5v3h3M6.5 9h5M6.5 12h5" /> },
  { to: '/users', label: 'menu.users', needs: 'users.manage', icon: <Icon d="M6.5 8.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm-5 7c0-2.8 2.2-4.5 5-4.5s5 1.7 5 4.5M12 3a3 3 0 0 1 0 5.5M13.5 11.3c1.8.6 3 2.1 3 4.2" /> },
]

/** The pages this person may open. */
export function useMenu(): MenuEntry[] {
  const can = useCan()
  return ENTRIES.filter((entry) => can(entry.needs))
}
