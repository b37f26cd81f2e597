import { Dropdown } from 'antd'
import { useState } from 'react'
import { answer, api } from '../api/client'
import { useSessionState } from '../api/session'
import { useLanguage } from '../i18n'
import { forgetSearches } from '../orders/recent'
import { PasswordDialog } from '../login/PasswordDialog'
import { roleKey } from '../users/roles'

/** Who is signed in, their password, and the way out. */
export function UserMenu() {
  const { t } = useLanguage()
  const { session, end } = useSessionState()
  const [password, setPassword] = useState(false)
  if (session === null) return null
  const leave = (): void => {
    forgetSearches()
    void answer(api.DELETE('/api/session')).catch(() => undefined).finally(end)
  }
  const role = roleKey(session.role)
  return (
    <>
      <Dropdown
        trigger={['click']}
        placement="bottomRight"
        menu={{
          items: [
            {
              key: 'who',
              disabled: true,
              label: `${session.username} · ${role ? t(role) : session.role}`,
            },
            { type: 'divider' },
            { key: 'password', label: t('user.password'), onClick: () => setPassword(true) },
            { key: 'leave', label: t('user.leave'), onClick: leave },
          ],
        }}
      >
        <button type="button" className="bare top__button" aria-label={t('user.menu', { name: session.display_name })}>
          <span className="top__avatar" data-initial={session.display_name.slice(0, 1)} aria-hidden="true" />
          <span className="top__name">{session.display_name}</span>
        </button>
      </Dropdown>
      <PasswordDialog open={password} onClose={() => setPassword(false)} />
    </>
  )
}
