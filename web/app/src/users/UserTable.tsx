import type { User, UserCreated } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { UserActions } from './UserActions'
import { roleKey } from './roles'
import '../parts/Table.css'

type Props = { users: User[]; onPassword: (made: UserCreated) => void }

/** Accounts with their roles and when they were last seen. */
export function UserTable({ users, onPassword }: Props) {
  const { t } = useLanguage()
  const { dayTime, ago } = useFormats()
  return (
    <div className="table-wrap">
      <table className="table table--cards">
        <thead>
          <tr>
            <th scope="col">{t('users.name')}</th>
            <th scope="col">{t('users.role')}</th>
            <th scope="col">{t('users.state')}</th>
            <th scope="col">{t('users.seen')}</th>
            <th scope="col">{t('users.created')}</th>
            <th scope="col">
              <span className="visually-hidden">{t('users.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => {
            const role = roleKey(user.role)
            return (
              <tr key={user.id} className={user.active ? undefined : 'user--off'}>
                <td className="table__lead">
                  {user.display_name} <span className="muted">{user.username}</span>
                </td>
                <td>{role ? t(role) : user.role}</td>
                <td>
                  {t(user.active ? 'users.active' : 'users.inactive')}
                  {user.must_change_password && <span className="warn small"> {t('users.first')}</span>}
                </td>
                <td className="num" data-label={t('users.seen')}>
                  {user.last_seen_at ? ago(user.last_seen_at) : t('users.never')}
                </td>
                <td className="num" data-label={t('users.created')}>
                  {dayTime(user.created_at)}
                </td>
                <td className="table__right">
                  <UserActions user={user} onPassword={onPassword} />
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
