import { Button } from 'antd'
import { Failure } from '../api/failure'
import { useErrorText } from '../i18n/errors'
import { useLanguage } from '../i18n'
import './FailureNote.css'

type Props = { error: unknown; retry?: () => void; bare?: boolean }

/** What went wrong, in words, with a way to try again. */
export function FailureNote({ error, retry, bare = false }: Props) {
  const { t } = useLanguage()
  const words = useErrorText()
  const failure = error instanceof Failure ? error : null
  return (
    <div className={`failure${bare ? '' : ' card'}`} role="alert">
      <p className="failure__title">{words(error)}</p>
      {failure?.requestId && (
        <p className="muted small">
          {t('error.request')} <span className="code">{failure.requestId}</span>
        </p>
      )}
      {retry && (
        <Button size="small" onClick={retry}>
          {t('action.retry')}
        </Button>
      )}
    </div>
  )
}
