import { useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useNavigate } from 'react-router'
import { Failure } from '../api/failure'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { removeSource } from './calls'

/** Removes a source after asking; asks once more when the server says what came through it. */
export function RemoveSource({ code, name }: { code: string; name: string }) {
  const { t } = useLanguage()
  const words = useErrorText()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const remove = async (really: boolean): Promise<void> => {
    try {
      await removeSource(code, really)
    } catch (error) {
      if (!really && error instanceof Failure && error.status === 409) return ask(words(error), true)
      void message.error(words(error), 8)
      return
    }
    void message.success(t('connect.removed', { name }))
    void queries.invalidateQueries({ queryKey: ['sources'] })
    void navigate('/sources')
  }
  const ask = (content: string, really: boolean): void =>
    void modal.confirm({
      title: t('connect.remove'),
      content,
      icon: null,
      okText: t(really ? 'connect.remove_anyway' : 'connect.remove'),
      okButtonProps: { danger: true },
      onOk: () => remove(really),
    })
  return (
    <Button danger onClick={() => ask(t('connect.remove_ask', { name }), false)}>
      {t('connect.remove')}
    </Button>
  )
}
