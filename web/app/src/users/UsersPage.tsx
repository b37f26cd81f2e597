import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import { answer, api } from '../api/client'
import type { UserCreated } from '../api/types'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { NewUserDialog } from './NewUserDialog'
import { PasswordOnce } from './PasswordOnce'
import { UserTable } from './UserTable'
import './Users.css'

/** The accounts of this installation. */
export default function UsersPage() {
  const { t } = useLanguage()
  const [adding, setAdding] = useState(false)
  const [made, setMade] = useState<UserCreated | null>(null)
  const users = useQuery({ queryKey: ['users'], queryFn: () => answer(api.GET('/api/users')) })
  return (
    <Page
      title={t('menu.users')}
      hint={t('users.hint')}
      actions={
        <Button type="primary" onClick={() => setAdding(true)}>
          {t('users.add')}
        </Button>
      }
    >
      {!users.data &&
        (users.error ? <FailureNote error={users.error} retry={() => void users.refetch()} /> : <Waiting rows={6} />)}
      {users.data && <UserTable users={users.data} onPassword={setMade} />}
      <NewUserDialog open={adding} onClose={() => setAdding(false)} onMade={setMade} />
      <PasswordOnce made={made} onClose={() => setMade(null)} />
    </Page>
  )
}
