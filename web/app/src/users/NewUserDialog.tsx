import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input, Modal, Select } from 'antd'
import { answer, api } from '../api/client'
import type { UserCreated } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { ROLES } from './roles'

type Entry = { username: string; display_name: string; role: string }
type Props = { open: boolean; onClose: () => void; onMade: (made: UserCreated) => void }

/** Adds an account; the server makes its first password. */
export function NewUserDialog({ open, onClose, onMade }: Props) {
  const { t } = useLanguage()
  const words = useErrorText()
  const queries = useQueryClient()
  const add = useMutation({
    mutationFn: (body: Entry) => answer(api.POST('/api/users', { body })),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['users'] })
      onClose()
      onMade(made)
    },
  })
  const close = (): void => {
    add.reset()
    onClose()
  }
  return (
    <Modal open={open} onCancel={close} footer={null} title={t('users.add')} width={440} destroyOnHidden>
      <Form<Entry>
        layout="vertical"
        requiredMark={false}
        initialValues={{ role: 'worker' }}
        onFinish={(entry) => add.mutate(entry)}
      >
        <Form.Item
          name="username"
          label={t('login.username')}
          extra={t('users.username_rule')}
          rules={[{ required: true, pattern: /^[a-z0-9._-]{2,40}$/, message: t('users.username_rule') }]}
        >
          <Input autoFocus autoComplete="off" autoCapitalize="none" maxLength={40} />
        </Form.Item>
        <Form.Item
          name="display_name"
          label={t('users.display_name')}
          rules={[{ required: true, whitespace: true, message: t('users.display_name_needed') }]}
        >
          <Input autoComplete="off" maxLength={100} />
        </Form.Item>
        <Form.Item name="role" label={t('users.role')} rules={[{ required: true }]}>
          <Select options={ROLES.map((role) => ({ value: role, label: t(`role.${role}`) }))} />
        </Form.Item>
        {add.error !== null && (
          <p className="users__error" role="alert">
            {words(add.error)}
          </p>
        )}
        <Button type="primary" htmlType="submit" loading={add.isPending}>
          {t('users.add')}
        </Button>
      </Form>
    </Modal>
  )
}
