import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Dropdown } from 'antd'
import { answer, api } from '../api/client'
import { useSessionState } from '../api/session'
import type { User, UserCreated } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { ROLES } from './roles'

type Change = { role?: string; active?: boolean; reset_password: boolean }
type Props = { user: User; onPassword: (made: UserCreated) => void }

/** What an administrator may do to an account. */
export function UserActions({ user, onPassword }: Props) {
  const { t } = useLanguage()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const { session } = useSessionState()
  const self = session?.user_id === user.id
  const change = useMutation({
    mutationFn: (body: Change) => 
      answer(api.PATCH('/api/users/{user_id}', { params: { path: { user_id: user.id } }, body })),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['users'] })
      if (made.password !== null) onPassword(made)
      else void message.success(t('users.changed'))
    },
    onError: (error) => void message.error(words(error)),
  })
  const ask = (title: string, content: string, body: Change): void =>
    void modal.confirm({ title, content, icon: null, onOk: () => change.mutateAsync(body).catch(() => undefined) })
  const name = user.display_name
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          {
            key: 'role',
            label: t('users.change_role'),
            disabled: self,
            children: ROLES.map((role) => ({
              key: role,
              label: t(`role.${role}`),
              disabled: role === user.role,
              onClick: () => change.mutate({ role, reset_password: false }),
            })),
          },
          {
            key: 'reset',
            label: t('users.reset'),
            onClick: () => ask(t('users.reset'), t('users.reset_ask', { name }), { reset_password: true }),
          },
          {
            key: 'active',
            label: t(user.active ? 'users.deactivate' : 'users.activate'),
            danger: user.active,
            disabled: self,
            onClick: () =>
              user.active
                ? ask(t('users.deactivate'), t('users.deactivate_ask', { name }), {
                    active: false,
                    reset_password: false,
                  })
                : change.mutate({ active: true, reset_password: false }),
          },
        ],
      }}
    >
      <Button size="small" loading={change.isPending} aria-label={t('users.actions_of', { name })}>
        {t('users.actions')}
      </Button>
    </Dropdown>
  )
}
