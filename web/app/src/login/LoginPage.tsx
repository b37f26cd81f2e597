import { useMutation } from '@tanstack/react-query'
import { Button, Form, Input } from 'antd'
import { useEffect } from 'react'
import { Navigate, useSearchParams } from 'react-router'
import { answer, api } from '../api/client'
import { useSessionState } from '../api/session'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { LoginFrame } from './LoginFrame'
import { safeNext } from './next'

type Entry = { username: string; password: string }

/** The way in. */
export default function LoginPage() {
  const { t } = useLanguage()
  const words = useErrorText()
  const { session, loading, accept } = useSessionState()
  const [params] = useSearchParams()
  const signIn = useMutation({
    mutationFn: (entry: Entry) =>
      answer(api.POST('/api/session', { body: { ...entry, username: entry.username.trim() } })),
    onSuccess: accept,
  })
  useEffect(() => {
    document.title = `${t('login.title')} · 榫 Tenon`
  }, [t])
  if (session !== null) return <Navigate to={safeNext(params.get('next'))} replace />
  if (loading) return null
  return (
    <LoginFrame title={t('login.title')} hint={params.has('next') ? t('login.again') : undefined}>
      <Form<Entry> layout="vertical" requiredMark={false} onFinish={(entry) => signIn.mutate(entry)}>
        <Form.Item
          name="username"
          label={t('login.username')}
          rules={[{ required: true, whitespace: true, message: t('login.username_needed') }]}
        >
          <Input size="large" autoFocus autoComplete="username" autoCapitalize="none" maxLength={100} />
        </Form.Item>
        <Form.Item
          name="password"
          label={t('login.password')}
          rules={[{ required: true, message: t('login.password_needed') }]}
        >
          <Input.Password size="large" autoComplete="current-password" maxLength={200} />
        </Form.Item>
        {signIn.error !== null && (
          <p className="login__error" role="alert">
            {words(signIn.error)}
          </p>
        )}
        <Button type="primary" htmlType="submit" size="large" block loading={signIn.isPending}>
          {t('login.submit')}
        </Button>
      </Form>
      <p className="muted small login__forgot">{t('login.forgot')}</p>
    </LoginFrame>
  )
}
