import { useMutation } from '@tanstack/react-query'
import { Button, Form, Input } from 'antd'
import { answer, api } from '../api/client'
import { useSessionState } from '../api/session'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'

type Entry = { old: string; fresh: string; again: string }

const SHORTEST = 10

/** Changes the password of the person signed in. */
export function PasswordForm({ onDone, block = false }: { onDone?: () => void; block?: boolean }) {
  const { t } = useLanguage()
  const words = useErrorText()
  const { accept } = useSessionState()
  const change = useMutation({
    mutationFn: ({ old, fresh }: Entry) =>
      answer(api.POST('/api/session/password', { body: { old, new: fresh } })),
    onSuccess: (session) => {
      accept(session)
      onDone?.()
    },
  })
  return (
    <Form<Entry> layout="vertical" requiredMark={false} onFinish={(entry) => change.mutate(entry)}>
      <Form.Item name="old" label={t('password.old')} rules={[{ required: true, message: t('password.old_needed') }]}>
        <Input.Password autoComplete="current-password" maxLength={200} />
      </Form.Item>
      <Form.Item
        name="fresh"
        label={t('password.new')}
        extra={t('password.rule', { n: SHORTEST })}
        rules={[{ required: true, min: SHORTEST, message: t('password.short', { n: SHORTEST }) }]}
      >
        <Input.Password autoComplete="new-password" maxLength={200} />
      </Form.Item>
      <Form.Item
        name="again"
        label={t('password.again')}
        dependencies={['fresh']}
        rules={[
          ({ getFieldValue }) => ({
            validator: (_, value: string) =>
              value === getFieldValue('fresh')
                ? Promise.resolve()
                : Promise.reject(new Error(t('password.differ'))),
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" maxLength={200} />
      </Form.Item>
      {change.error !== null && (
        <p className="login__error" role="alert">
          {words(change.error)}
        </p>
      )}
      <Button type="primary" htmlType="submit" block={block} loading={change.isPending}>
        {t('password.submit')}
      </Button>
    </Form>
  )
}
